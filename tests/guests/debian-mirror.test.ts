import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findDebianMirror } from '../../src/guests/debian-mirror-node.ts';
import { temporaryFolder } from './programs.ts';

const folder = temporaryFolder();
let round = 0;

/** The mirror that an apt configuration of the given files leads to. */
function mirrorOf(files: Record<string, string>, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const aptFolder = join(folder, String(round++));
  mkdirSync(join(aptFolder, 'sources.list.d'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(aptFolder, name), text);
  return findDebianMirror({ aptFolder, env });
}

const security = 'deb http://security.invalid/debian-security trixie-security main\n';

describe('findDebianMirror', () => {
  it('prefers HYPERTAB_DEBIAN_MIRROR, and refuses it when it is no web address', async () => {
    const files = { 'sources.list': 'deb http://apt.invalid/debian trixie main\n' };
    expect(await mirrorOf(files, { HYPERTAB_DEBIAN_MIRROR: 'https://own.invalid/debian/' })).toBe(
      'https://own.invalid/debian',
    );
    expect(await mirrorOf(files, { HYPERTAB_DEBIAN_MIRROR: '' })).toBe('http://apt.invalid/debian');
    await expect(mirrorOf(files, { HYPERTAB_DEBIAN_MIRROR: 'own.invalid' })).rejects.toMatchObject({
      code: 'no-mirror',
      message: expect.stringContaining('"own.invalid"'),
    });
  });

  it('takes the first web address of a Debian release from sources.list', async () => {
    const text = [
      '# deb http://comment.invalid/debian trixie main',
      'deb-src http://source.invalid/debian trixie main',
      'deb cdrom:[Debian]/ trixie main',
      'deb http://updates.invalid/debian trixie-updates main',
      security,
      'deb http://vendor.invalid/thing thing-trixie main',
      'deb http://nonfree.invalid/debian trixie non-free',
      'deb [arch=amd64 signed-by=/x] http://right.invalid/debian/ bookworm main contrib # comment',
      'deb http://later.invalid/debian trixie main',
    ].join('\n');
    expect(await mirrorOf({ 'sources.list': text })).toBe('http://right.invalid/debian');
  });

  it('reads the deb822 format, skipping what is switched off or commented out', async () => {
    const text = [
      'Types: deb',
      'URIs: http://off.invalid/debian',
      'Suites: trixie',
      'Components: main',
      'Enabled: no',
      '',
      'Types: deb deb-src',
      '# URIs: http://comment.invalid/debian',
      'URIs: file:/local',
      ' http://right.invalid/debian',
      'Suites: trixie-updates',
      ' trixie',
      'Components: main',
      'Signed-By: -----BEGIN PGP PUBLIC KEY BLOCK-----',
      ' .',
      ' URIs: http://key.invalid/',
    ].join('\n');
    const files = { 'sources.list': security, 'sources.list.d/debian.sources': text };
    expect(await mirrorOf(files)).toBe('http://right.invalid/debian');
  });

  it('reads sources.list.d in the order of names, and only .list and .sources', async () => {
    const line = (host: string) => `deb http://${host}.invalid/debian trixie main\n`;
    const files = {
      'sources.list.d/b.list': line('b'),
      'sources.list.d/a.list': line('a'),
      'sources.list.d/0.off': line('0'),
    };
    expect(await mirrorOf(files)).toBe('http://a.invalid/debian');
  });

  it('names the variable when there is no Debian archive', async () => {
    await expect(mirrorOf({ 'sources.list': security })).rejects.toMatchObject({
      code: 'no-mirror',
      message: expect.stringContaining('set HYPERTAB_DEBIAN_MIRROR'),
    });
    await expect(findDebianMirror({ aptFolder: '/nonexistent', env: {} })).rejects.toThrow(
      /HYPERTAB_DEBIAN_MIRROR/,
    );
  });
});
