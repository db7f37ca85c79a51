import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clearSignedText } from '../../src/guests/debian-index-node.ts';
import { DebianRepository } from '../../src/guests/debian-repository-node.ts';
import { checkSignature } from '../../src/guests/debian-signature-node.ts';
import { FakeMirror, type FakePackage, type Signer, unsigned } from './fake-mirror.ts';
import { run, temporaryFolder } from './programs.ts';

const folder = temporaryFolder();
const noKeyring = { HYPERTAB_DEBIAN_KEYRING: join(folder, 'nowhere.gpg') };
const packages: FakePackage[] = [
  {
    name: 'hello',
    version: '2:1.0~rc1+b2',
    depends: 'libc6 (>= 2.38), a | b:any',
    deb: Buffer.from('hello deb'),
  },
  { name: 'hello-more', deb: Buffer.from('more') },
];
let mirror: FakeMirror;
let cacheDir: string;
let round = 0;

beforeEach(async () => {
  mirror = await new FakeMirror().start();
  cacheDir = join(folder, `cache${round++}`);
});
afterEach(() => mirror.stop());

const open = (env: NodeJS.ProcessEnv = noKeyring) =>
  DebianRepository.open({ mirror: mirror.url, cacheDir, env, attempts: 2, retryMs: 1 });

/** Changes one byte of a published file. */
function damage(path: string): void {
  const [name, bytes] = [...mirror.files].find(([candidate]) => candidate.endsWith(path))!;
  const changed = Buffer.from(bytes);
  changed[changed.length >> 1]! ^= 1;
  mirror.files.set(name, changed);
}

describe('DebianRepository', () => {
  it('finds a package by its whole name and fetches its .deb', async () => {
    mirror.publish(packages);
    const repository = await open();
    expect(repository.find('hello')).toMatchObject({
      name: 'hello',
      version: '2:1.0~rc1+b2',
      depends: [['libc6'], ['a', 'b']],
    });
    const { path } = await repository.fetch('hello-more');
    expect(readFileSync(path, 'utf8')).toBe('more');
    expect(() => repository.find('hell')).toThrow(/no package hell;/);
    expect(repository.release.version).toBe('13.0');
  });

  it('fetches the index and the packages once', async () => {
    mirror.publish(packages);
    await (await open()).fetch('hello');
    await (await open()).fetch('hello');
    expect([mirror.countOf('InRelease'), mirror.countOf('Packages'), mirror.countOf('hello_')]).toEqual([
      2, 1, 1,
    ]);
  });

  it.each(['Packages.xz', '_riscv64.deb'])(
    'refuses a %s that is not what the chain of hashes says',
    async (path) => {
      mirror.publish(packages);
      damage(path);
      await expect(open().then((repository) => repository.fetch('hello'))).rejects.toMatchObject({
        code: 'checksum',
        message: expect.stringContaining('HYPERTAB_DEBIAN_MIRROR'),
      });
    },
  );

  it('refuses a release of another suite, and a page that is no release', async () => {
    mirror.publish(packages, { codename: 'sid' });
    await expect(open()).rejects.toThrow(/of the suite sid, not of trixie/);
    mirror.files.set('dists/trixie/InRelease', Buffer.from('<html>Welcome</html>'));
    await expect(open()).rejects.toMatchObject({ code: 'format' });
    mirror.publish(packages, { sign: () => unsigned('Codename: trixie\n') });
    await expect(open()).rejects.toThrow(/no list of SHA-256 hashes/);
  });

  it('refuses an index entry that leads out of the pool', async () => {
    mirror.publish([{ name: 'evil', version: '1', deb: Buffer.from('x') }]);
    const repository = await open();
    expect(repository.find('evil').filename).toBe('pool/main/e/evil_1_riscv64.deb');
    mirror.publish([{ name: '../../../evil', version: '1', deb: Buffer.from('x') }]);
    const other = await open();
    expect(() => other.find('../../../evil')).toThrow(/no proper field filename/);
  });

  it('uses the InRelease of an earlier run when the mirror cannot be reached', async () => {
    mirror.publish(packages);
    await (await open()).fetch('hello');
    mirror.statuses = [503, 503];
    const notes: string[] = [];
    const repository = await DebianRepository.open({
      mirror: mirror.url,
      cacheDir,
      env: noKeyring,
      attempts: 2,
      retryMs: 1,
      onProgress: (event) => {
        if (event.kind === 'note') notes.push(event.text);
      },
    });
    expect((await repository.fetch('hello')).package.name).toBe('hello');
    expect(notes[0]).toMatch(/HTTP 503.*using the InRelease of an earlier run/);
  });
});

describe('the signature of InRelease', () => {
  const home = join(folder, 'gpg');
  const keyring = join(folder, 'keyring.gpg');
  const gpg = (args: string[], input?: string) =>
    run('gpg', ['--homedir', home, '--batch', '--quiet', '--no-autostart', ...args], {
      input: input === undefined ? undefined : Buffer.from(input),
    });
  const sign: Signer = (release) =>
    run('gpg', ['--homedir', home, '--batch', '--quiet', '--clearsign', '-o', '-'], {
      input: Buffer.from(release),
    }).toString();

  beforeAll(() => {
    mkdirSync(home, { mode: 0o700 });
    run('gpg', [
      '--homedir',
      home,
      '--batch',
      '--quiet',
      '--passphrase',
      '',
      '--quick-generate-key',
      'Test <t@invalid>',
      'ed25519',
      'sign',
    ]);
    writeFileSync(keyring, gpg(['--export']));
  });
  afterAll(() => {
    run('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
  });

  it('is checked with the keyring, and what it is of is read', async () => {
    mirror.publish(packages, { sign });
    const repository = await open({ HYPERTAB_DEBIAN_KEYRING: keyring });
    expect(repository.signature).toEqual({ checked: true, by: 'Test <t@invalid>' });
    expect(repository.find('hello').name).toBe('hello');
  });

  it('is an error when it is bad, and the file is not kept', async () => {
    mirror.publish(packages, { sign: (release) => sign(release).replace('13.0', '13.1') });
    await expect(open({ HYPERTAB_DEBIAN_KEYRING: keyring })).rejects.toMatchObject({ code: 'signature' });
    mirror.statuses = [503, 503];
    await expect(open({ HYPERTAB_DEBIAN_KEYRING: keyring })).rejects.toMatchObject({ code: 'network' });
  });

  it('is an error when there is none to read', async () => {
    mirror.publish(packages, { sign: unsigned });
    await expect(open({ HYPERTAB_DEBIAN_KEYRING: keyring })).rejects.toMatchObject({ code: 'signature' });
  });

  it('is reported as not checked where keyring, key or program is missing', async () => {
    const path = join(folder, 'InRelease');
    writeFileSync(path, sign('Codename: trixie\n'));
    expect(await checkSignature(path, { env: noKeyring })).toMatchObject({
      checked: false,
      reason: /no keyring/,
    });
    writeFileSync(join(folder, 'empty.gpg'), '');
    expect(
      await checkSignature(path, { env: { HYPERTAB_DEBIAN_KEYRING: join(folder, 'empty.gpg') } }),
    ).toMatchObject({
      checked: false,
    });
    const before = process.env.PATH;
    process.env.PATH = folder;
    try {
      expect(await checkSignature(path, { env: { HYPERTAB_DEBIAN_KEYRING: keyring } })).toEqual({
        checked: false,
        reason: 'gpgv is not installed (package gpgv)',
      });
    } finally {
      process.env.PATH = before;
    }
  });

  it('covers all that is read: text around the signed part is refused', () => {
    const message = sign('Codename: trixie\n- dashed\n');
    expect(clearSignedText(message, 'x')).toBe('Codename: trixie\n- dashed\n');
    for (const wrong of [
      `SHA256:\n${message}`,
      `${message}SHA256:\n`,
      message.replace('\nHash: ', '\nSHA256: x\nHash: '),
      message + message,
      message.slice(0, -40),
      message.replace('-----BEGIN PGP SIGNATURE-----', '-----BEGIN PGP SIGNATURE----'),
    ]) {
      expect(() => clearSignedText(wrong, 'x')).toThrow(/no clear-signed message/);
    }
  });
});
