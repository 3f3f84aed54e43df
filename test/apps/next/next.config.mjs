const here = import.meta.dirname;

export default { output: 'standalone', poweredByHeader: false, outputFileTracingRoot: here, turbopack: { root: here } };
