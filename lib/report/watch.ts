/** The page of a sweep, served to this machine while the sweep runs. It can be read by who has its address, and by nobody else: other users
 *  of the machine do not know the token, and other pages of the same browser do not pass the check of the host. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { LayerwiseError } from '../errors.js';
import { page } from './page/page.js';
import { policy } from './page/scripts.js';
import { Snapshot } from './snapshot.js';

export interface WatchOptions {
  /** 0, the default, takes any that is free. */
  readonly port?: number;
  readonly sweep?: number | undefined;
}

export interface Watched {
  /** Where the page is, with its token. */
  readonly url: string;
  readonly port: number;
  /** Ends the server, and what is open to it. */
  readonly close: () => Promise<void>;
}

const ADDRESS = '127.0.0.1';

/** @throws FileError when there is no store to read; OptionsError when it has no such sweep; LayerwiseError when the port is taken */
export async function watch(folder: string, { port = 0, sweep }: WatchOptions = {}): Promise<Watched> {
  const snapshot = new Snapshot(resolve(folder), sweep);
  const token = randomBytes(24).toString('base64url');
  let own = port;
  const server = createServer((request, response) => answer({ snapshot, token, port: own }, request, response));
  own = await listening(server, port);
  return {
    url: `http://${ADDRESS}:${own}/${token}/`,
    port: own,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

const listening = (server: Server, port: number): Promise<number> =>
  new Promise((done, refuse) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === 'EADDRINUSE'
          ? `port ${port} is taken; choose another with --port, or leave it out to take any`
          : `cannot listen on port ${port}: ${cause.message}`;
      refuse(new LayerwiseError('ERR_PORT', message, { cause }));
    });
    server.listen({ port, host: ADDRESS, exclusive: true }, () => done((server.address() as AddressInfo).port));
  });

interface Held {
  readonly snapshot: Snapshot;
  readonly token: string;
  readonly port: number;
}

/** For all answers. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

function answer({ snapshot, token, port }: Held, request: IncomingMessage, response: ServerResponse): void {
  const { method = '', headers } = request;
  const send = (status: number, type: string, body: string, more: Readonly<Record<string, string>> = {}): void => {
    response.writeHead(status, {
      ...HEADERS,
      'Content-Type': `${type}; charset=utf-8`,
      'Content-Length': Buffer.byteLength(body),
      ...more,
    });
    response.end(method === 'HEAD' ? undefined : body);
  };
  const refuse = (status: number, body: string, more?: Readonly<Record<string, string>>): void =>
    send(status, 'text/plain', `${body}\n`, { 'Content-Security-Policy': "default-src 'none'", ...more });
  try {
    if (headers.host !== `${ADDRESS}:${port}` && headers.host !== `localhost:${port}`) refuse(403, 'not under this name');
    else if (method !== 'GET' && method !== 'HEAD') refuse(405, 'only GET and HEAD', { Allow: 'GET, HEAD' });
    else {
      const name = nameUnder(token, request.url ?? '');
      if (name === '')
        send(200, 'text/html', page(snapshot.data, { live: true }), {
          'Content-Security-Policy': `${policy(true)}; frame-ancestors 'none'`,
        });
      else if (name === 'data.json') {
        const { body, tag } = snapshot.answer;
        if (headers['if-none-match'] === tag) response.writeHead(304, { ...HEADERS, ETag: tag }).end();
        else send(200, 'application/json', body, { ETag: tag, 'Content-Security-Policy': "default-src 'none'" });
      } else refuse(404, 'nothing here');
    }
  } catch (error) {
    // One answer that fails is no reason to end the server.
    if (!response.headersSent) refuse(500, error instanceof Error ? error.message : String(error));
    else response.destroy();
  }
}

/** What of the path comes after the token; undefined where the token is another. Takes equally long for every wrong one. */
function nameUnder(token: string, url: string): string | undefined {
  const [, given = '', ...rest] = url.split('?')[0].split('/');
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  const same = timingSafeEqual(a.byteLength === b.byteLength ? a : Buffer.alloc(b.byteLength), b);
  return same && rest.length > 0 ? rest.join('/') : undefined;
}
