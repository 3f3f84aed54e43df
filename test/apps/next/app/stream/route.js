import { setTimeout as delay } from 'node:timers/promises';

export const dynamic = 'force-dynamic';

export function GET(request) {
  const { searchParams } = new URL(request.url);
  const chunks = Number(searchParams.get('chunks'));
  const everyMs = Number(searchParams.get('everyMs'));
  const body = new ReadableStream({
    async start(controller) {
      for (let index = 1; index <= chunks; index++) {
        await delay(everyMs);
        controller.enqueue(new TextEncoder().encode(`chunk ${index} of ${chunks}\n`));
      }
      controller.close();
    }
  });
  return new Response(body, {
    headers: { 'x-id': request.headers.get('x-id'), 'x-version': process.env.VERSION, 'content-type': 'text/plain' }
  });
}
