export const dynamic = 'force-dynamic';

export function GET(request) {
  const id = request.headers.get('x-id');
  return new Response(`answer to ${id}\n`, { headers: { 'x-id': id, 'x-version': process.env.VERSION } });
}
