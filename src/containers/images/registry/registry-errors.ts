// Answers that are none, in docker's words.
import { ImageStoreError } from '../image-store-error.ts';
import type { Repository } from './registry-settings.ts';

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'connection reset by peer',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'temporary failure in name resolution',
  ETIMEDOUT: 'i/o timeout',
  EHOSTUNREACH: 'connect: no route to host',
  UND_ERR_SOCKET: 'unexpected EOF',
  UND_ERR_CONNECT_TIMEOUT: 'i/o timeout',
};

/** A request that got no answer. */
export function networkError(method: string, url: string, error: unknown): ImageStoreError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const inPage = typeof document !== 'undefined' || 'WorkerGlobalScope' in globalThis;
  const reason =
    REASONS[cause?.code ?? ''] ??
    (inPage
      ? 'the registry cannot be reached, or lets no pages in: start Hypertab with --registry HOST to go through its server'
      : (cause?.message ?? (error instanceof Error ? error.message : String(error))));
  const verb = method[0] + method.slice(1).toLowerCase();
  return new ImageStoreError('network', `${verb} "${url}": ${reason}`, { cause: error });
}

interface RegistryError {
  code: string;
  message: string;
}

/** The first error of a registry's answer (distribution-spec, "Error Codes"). */
function firstError(body: string): RegistryError | undefined {
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: unknown; message?: unknown }[] };
    const { code, message } = errors?.[0] ?? {};
    if (typeof code !== 'string') return undefined;
    return { code, message: typeof message === 'string' ? message.slice(0, 500) : '' };
  } catch {
    return undefined;
  }
}

/**
 * What an answer with a status that was not hoped for means.
 * @param what manifest that was asked for, as the user names it
 */
export function answerError(
  response: Response,
  body: string,
  repository: Repository,
  action: 'pull' | 'push',
  what: string | undefined,
): ImageStoreError {
  const error = firstError(body);
  const detail = error === undefined ? '' : `: ${error.code.toLowerCase()}: ${error.message}`;
  switch (response.status) {
    case 401:
    case 403: {
      const word = response.status === 401 ? 'unauthorized' : 'denied';
      const why =
        error === undefined
          ? `${word}: ${word === 'denied' ? 'access forbidden' : 'authentication required'}`
          : detail.slice(2);
      const text =
        action === 'pull'
          ? `pull access denied for ${repository.name}, repository does not exist or may require 'docker login': ${why}`
          : why;
      return new ImageStoreError(word, text);
    }
    case 404:
      if (error?.code === 'NAME_UNKNOWN') {
        return new ImageStoreError(
          'not-found',
          `repository ${repository.name} not found: name unknown: ${error.message}`,
        );
      }
      return new ImageStoreError(
        'not-found',
        what === undefined
          ? `${repository.name}: not found${detail}`
          : `manifest for ${what} not found: manifest unknown: ${error?.message || 'manifest unknown'}`,
      );
    case 429:
      return new ImageStoreError('registry', `toomanyrequests: ${error?.message || 'too many requests'}`);
    default:
      return new ImageStoreError(
        response.status >= 500 ? 'network' : 'registry',
        `received unexpected HTTP status: ${response.status} ${response.statusText}`.trim() + detail,
      );
  }
}
