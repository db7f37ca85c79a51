import { describe, expect, it } from 'vitest';
import { chosenFiles } from '../../../src/containers/docker/chosen-files.ts';
import { readTar } from '../../../src/guests/tar.ts';
import { tar } from '../images/fixtures.ts';

/** A user who chooses one file, and takes what is offered to him. */
function user() {
  const saved: { name: string; bytes: Uint8Array }[] = [];
  const files = chosenFiles({
    open: async () => new Blob(['chosen contents']),
    save: async (name, bytes) => {
      saved.push({ name, bytes: new Uint8Array(await new Response(bytes as ReadableStream).arrayBuffer()) });
    },
  });
  return { files, saved };
}

async function* pieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

describe('files of a user who is asked for them', () => {
  it('go in under the name that was typed', async () => {
    const entries = [];
    for await (const entry of readTar(user().files.pack('/typed', 'typed'), 'it')) {
      entries.push([entry.path, entry.type, new TextDecoder().decode(await entry.read())]);
    }
    expect(entries).toEqual([['typed', 'file', 'chosen contents']]);
  });

  it('come out as they are when there is one', async () => {
    const { files, saved } = user();
    const archive = tar({ path: 'etc-passwd', data: 'root' });
    await files.unpack('/', pieces(archive), undefined);
    await files.unpack('/', pieces(archive), 'other');
    expect(saved.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)])).toEqual([
      ['etc-passwd', 'root'],
      ['other', 'root'],
    ]);
  });

  it('come out as an archive when there are more', async () => {
    const { files, saved } = user();
    const archive = tar({ path: 'conf/a', data: '1' }, { path: 'conf/b', data: '2' });
    await files.unpack('/', pieces(archive), 'conf');
    expect(saved[0]!.name).toBe('conf.tar');
    expect(saved[0]!.bytes).toEqual(new Uint8Array(archive));
  });

  it('are in directories only where a path says so', async () => {
    const { kind } = user().files;
    expect(await Promise.all(['/', '/a', '/a/', '/.', '/a/.'].map(kind))).toEqual([
      ...['directory', 'file', 'directory', 'directory', 'directory'],
    ]);
  });
});
