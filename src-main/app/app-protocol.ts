/**
 * The app:// protocol: the window's own pages, and pixels of open studies. Nothing else is reachable, and no page comes
 * from file:// or from the network.
 */
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { protocol, type Session } from 'electron';

/** The renderer's content security policy (design.md, "CSP that works"). */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** Must run before app is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: 'app',
      privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true },
    },
  ]);
}

/** Answers a route of its own kind (pixels), or undefined when the path is not its. */
export type AppRoute = (segments: readonly string[], signal: AbortSignal) => Promise<Response> | undefined;

const refused = (status: number, text: string) =>
  new Response(text, {
    status,
    headers: { 'content-type': 'text/plain', 'x-content-type-options': 'nosniff' },
  });

/** The decoded parts of a path; null where they are not well-formed. */
function segmentsOf(pathname: string): string[] | null {
  try {
    return pathname.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return null;
  }
}

/** Serves `pagesFolder` and `routes` under app://readroom/. */
export function serveApp(session: Session, pagesFolder: string, routes: readonly AppRoute[]): void {
  session.protocol.handle('app', async (request) => {
    const url = new URL(request.url);
    if (url.host !== 'readroom' || request.method !== 'GET') return refused(404, 'Not found');
    const segments = segmentsOf(url.pathname);
    if (!segments) return refused(400, 'Bad request');
    for (const route of routes) {
      const answer = route(segments, request.signal);
      if (answer) return answer;
    }
    const relative = segments.join('/') || 'index.html';
    const path = normalize(join(pagesFolder, relative));
    if (!path.startsWith(pagesFolder + sep) || relative.includes('\0')) return refused(404, 'Not found');
    try {
      const body = await readFile(path);
      return new Response(new Uint8Array(body), {
        headers: {
          'content-type': types[extname(path)] ?? 'application/octet-stream',
          'content-security-policy': contentSecurityPolicy,
          'x-content-type-options': 'nosniff',
        },
      });
    } catch {
      return refused(404, 'Not found');
    }
  });
}
