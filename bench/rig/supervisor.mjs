// A supervisor as a process of its own: argv is the built package, the options and the id of its starter. It stops when
// that is gone, and so does a successor that it has started, which has no channel to it.
const [, , build, options, starter] = process.argv;
const { supervise } = await import(build);

const service = await supervise(JSON.parse(options));
// What is still open here is the successor's.
service.once('superseded', () => process.exit());
process.once('disconnect', () => service.close());
process.channel?.unref(); // to wait for that is no reason to stay
const looking = setInterval(() => {
  try {
    process.kill(Number(starter), 0);
  } catch {
    clearInterval(looking);
    service.close();
  }
}, 500).unref();
process.send?.({ socket: service.socket, addresses: service.addresses });
