import { setTimeout as delay } from 'node:timers/promises';

export const dynamic = 'force-dynamic';

export async function GET(request) {
  const id = request.headers.get('x-id');
  await delay(Number(new URL(request.url).searchParams.get('ms')));
  return new Response(`answer to ${id}\n`, { headers: { 'x-id': id, 'x-version': process.env.VERSION } });
}
