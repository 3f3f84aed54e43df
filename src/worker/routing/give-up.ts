import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { disownResponse } from '../../internals/http.ts';

type WriteHead = (...given: unknown[]) => ServerResponse;

/**
 * Lets an answer of the app be given up before a byte of it has left, by its status.
 *
 * What the app writes of it then goes nowhere, and it hears that it was sent.
 *
 * @param isGivenUp asked with the status, once
 */
export function mayGiveUp(response: ServerResponse, socket: net.Socket, isGivenUp: (status: number) => boolean): void {
  const writeHead = response.writeHead as WriteHead;
  response.writeHead = ((...given: unknown[]) => {
    response.writeHead = writeHead as typeof response.writeHead; // not deleted: V8 handles what has lost a property slowly
    if (!isGivenUp(Number(given[0]))) return writeHead.apply(response, given);
    const canFinish = disownResponse(response, socket);
    response.write = ((...written: unknown[]) => {
      call(written);
      return true;
    }) as typeof response.write;
    response.end = ((...written: unknown[]) => {
      call(written);
      return response;
    }) as typeof response.end;
    setImmediate(() => {
      if (canFinish) response.emit('finish');
      response.emit('close');
    });
    return response;
  }) as typeof response.writeHead;
}

function call(given: readonly unknown[]): void {
  const done = given.findLast((one) => typeof one === 'function') as (() => void) | undefined;
  if (done) process.nextTick(done);
}
