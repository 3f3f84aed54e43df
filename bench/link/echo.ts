import type { Handle } from '../../src/internals/net.ts';
import { connectPipe } from '../../src/internals/pipes.ts';

// Sends each connection back by the way on which it came: the link, whose socket is the argument, or the channel of fork.
// It leaves when its starter is gone.

const [, , path = ''] = process.argv;

const pipe = connectPipe(
  path,
  {
    onMessage: (message, handle) => {
      if (handle) pipe.send(message as object, handle, () => handle.close());
    },
    onEnd: () => process.exit()
  },
  () => {}
);

process.on('message', (message, socket) => {
  const handle = socket as unknown as Handle | undefined;
  if (handle) process.send?.(message, handle as never, {}, () => handle.close());
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
