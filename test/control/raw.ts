import http from 'node:http';

/** Sends to a control socket what its own client would not. */
export function ask(
  socketPath: string,
  path: string,
  body?: unknown
): Promise<{ status: number; answer: Record<string, unknown> }> {
  return new Promise((done, fail) => {
    const request = http.request({ socketPath, path, method: 'POST', agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      done({ status: response.statusCode ?? 0, answer: JSON.parse(text) });
    });
    request.on('error', fail);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
