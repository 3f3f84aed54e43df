export default { serverDir: './', preset: 'node-server' };
