// How a registry is told who asks: basic, or a token from the server that it names (distribution, "Token
// Authentication Specification").
import { ImageStoreError } from '../image-store-error.ts';
import type { RegistryCredentials } from '../types.ts';

/** What WWW-Authenticate asks for. */
export interface Challenge {
  scheme: string;
  parameters: Record<string, string>;
}

/** Reads the first challenge that we know an answer to (RFC 9110, 11.6.1). */
export function parseChallenge(header: string | null): Challenge | undefined {
  for (const match of (header ?? '').matchAll(
    /(?:^|,)\s*(bearer|basic)\s+((?:[^,"]|"(?:[^"\\]|\\.)*"|,(?!\s*(?:bearer|basic)\s))*)/gi,
  )) {
    const parameters: Record<string, string> = {};
    for (const part of match[2]!.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
      parameters[part[1]!.toLowerCase()] = (part[2] ?? part[3] ?? '').replace(/\\(.)/g, '$1');
    }
    return { scheme: match[1]!.toLowerCase(), parameters };
  }
  return undefined;
}

/** Value of Authorization for a name and a password, in UTF-8. */
export function basicAuthorization({ username, password }: RegistryCredentials): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/**
 * Address that tokens are fetched from.
 * @param registry address of the registry; where that is encrypted, the server's must be
 * @throws {ImageStoreError} registry
 */
export function tokenAddress(
  { parameters }: Challenge,
  scope: string | undefined,
  registry: string,
  account: string | undefined,
): URL {
  const { realm = '', service } = parameters;
  const bad = () =>
    new ImageStoreError(
      'registry',
      `${registry} asks for a token from "${realm}", which is no address for that`,
    );
  if (!URL.canParse(realm)) throw bad();
  const url = new URL(realm);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && !registry.startsWith('https:'))) throw bad();
  if (service !== undefined) url.searchParams.set('service', service);
  if (scope !== undefined) url.searchParams.set('scope', scope);
  if (account !== undefined) url.searchParams.set('account', account);
  return url;
}

/**
 * The token in a token server's answer.
 * @throws {ImageStoreError} registry
 */
export function readToken(json: unknown): string {
  const { token, access_token: other } = (json ?? {}) as { token?: unknown; access_token?: unknown };
  const found = typeof token === 'string' && token !== '' ? token : other;
  if (typeof found !== 'string' || !/^[\x21-\x7e]{1,65536}$/.test(found)) {
    throw new ImageStoreError('registry', 'authorization server did not include a token in the response');
  }
  return found;
}
