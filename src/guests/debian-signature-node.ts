import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { GuestError } from './guest-error.ts';

/** What is known about a signature: made by a key of the keyring, or not checked and why. */
export type SignatureCheck = { checked: true; by: string } | { checked: false; reason: string };

/** Where Debian's package debian-archive-keyring puts the keys of the archive; HYPERTAB_DEBIAN_KEYRING goes first. */
const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/usr/share/keyrings/debian-archive-keyring.gpg',
];

export interface SignatureOptions {
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/**
 * Verifies a clear-signed file with gpgv and the Debian archive keyring, where both are on the machine.
 * @throws {GuestError} signature, when it is bad
 */
export async function checkSignature(path: string, options: SignatureOptions = {}): Promise<SignatureCheck> {
  const own = (options.env ?? process.env).HYPERTAB_DEBIAN_KEYRING || undefined;
  const keyring = await firstThere(own === undefined ? KEYRINGS : [own]);
  if (keyring === undefined) {
    return { checked: false, reason: `there is no keyring ${own ?? '(package debian-archive-keyring)'}` };
  }
  const status = await gpgv(['--status-fd', '1', '--keyring', keyring, path], options.signal);
  if (status === undefined) return { checked: false, reason: 'gpgv is not installed (package gpgv)' };
  const keywords = [...status.matchAll(/^\[GNUPG:\] (\w+) ?(.*)$/gm)].map(
    (match) => [match[1]!, match[2]!] as const,
  );
  const first = (name: string) => keywords.find(([keyword]) => keyword === name)?.[1];
  // A release has several signatures; one that is wrong is never an accident.
  if (first('BADSIG') !== undefined) {
    throw new GuestError(
      'signature',
      `the signature of ${path} is bad (${first('BADSIG')}); do not use this mirror: set another one in HYPERTAB_DEBIAN_MIRROR`,
    );
  }
  if (first('VALIDSIG') !== undefined && first('GOODSIG') !== undefined) {
    return { checked: true, by: first('GOODSIG')!.replace(/^\S+ /, '') };
  }
  if (first('EXPKEYSIG') ?? first('REVKEYSIG')) {
    return { checked: false, reason: `its keys in ${keyring} are expired or revoked` };
  }
  if (first('ERRSIG') !== undefined) return { checked: false, reason: `${keyring} has none of its keys` };
  throw new GuestError(
    'signature',
    `${path} has no signature that gpgv can read; set another mirror in HYPERTAB_DEBIAN_MIRROR`,
  );
}

async function firstThere(paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/** gpgv's status lines; undefined when there is no gpgv. */
function gpgv(args: string[], signal: AbortSignal | undefined): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn('gpgv', args, { stdio: ['ignore', 'pipe', 'ignore'], signal });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    child.on('error', (error) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') resolve(undefined);
      else if (signal?.aborted) reject(new GuestError('aborted', 'the preparation was cancelled'));
      else reject(error);
    });
    child.on('close', () => resolve(output));
  });
}
