// A supervisor as a process of its own: argv is the built package and the options. It stops when its starter is gone.
const [, , build, options] = process.argv;
const { supervise } = await import(build);

const service = await supervise(JSON.parse(options));
process.once('disconnect', () => service.close());
process.channel.unref(); // to wait for that is no reason to stay
process.send({ socket: service.socket, addresses: service.addresses });
