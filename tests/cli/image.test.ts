import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { image } from '../../src/cli/image.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { imageProgressPrinter } from '../../src/containers/docker/image-progress.ts';
import { digestOf, imageOf, ociArchive, tar } from '../containers/images/fixtures.ts';

let folder: string;
const parts = imageOf([tar({ path: 'a', data: 'contents' })]);
const id = digestOf(parts.config);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypertab-cli-image-'));
  vi.stubEnv('HYPERTAB_IMAGES', join(folder, 'images'));
  vi.stubEnv('HYPERTAB_REGISTRY', '');
  vi.stubEnv('HYPERTAB_RUNTIME_DIR', join(folder, 'runtime'));
  await writeFile(join(folder, 'in.tar'), ociArchive(parts, 'team/tool:1'));
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Runs `hypertab image …`; answers what it printed. */
async function run(...args: string[]): Promise<string> {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((data) => {
    text += typeof data === 'string' ? data : new TextDecoder().decode(data);
    return true;
  });
  expect(await image(args)).toBe(0);
  vi.restoreAllMocks();
  return text;
}

it('an image is loaded, listed, named, saved, told of and removed', async () => {
  expect(await run('load', '--input', join(folder, 'in.tar'))).toBe('Loaded image: team/tool:1\n');
  const table = await run('ls');
  expect(table.split('\n')[0]).toBe('REPOSITORY  TAG  IMAGE ID      CREATED     SIZE');
  expect(table).toContain(`team/tool   1    ${id.slice(7, 19)}  2024-05-06`);
  await run('tag', 'team/tool:1', 'other');
  expect(await run('ls', '--quiet')).toBe(`${id.slice(7, 19)}\n`);
  expect(JSON.parse(await run('ls', '--json'))[0].RepoTags).toEqual(['other:latest', 'team/tool:1']);
  await run('save', '--output', join(folder, 'out.tar'), 'other');
  expect(JSON.parse(await run('inspect', 'other'))[0].Id).toBe(id);
  expect(await run('history', 'other')).toContain('step 0');
  expect(await run('rm', 'other')).toBe('Untagged: other:latest\n');
  expect(await run('rm', 'team/tool:1')).toContain(`Deleted: ${id}\n`);
  expect(await run('load', join(folder, 'out.tar'))).toBe('Loaded image: other:latest\n');
  expect(await run('prune', '--all')).toContain('Total reclaimed space: ');
  expect((await run('ls')).split('\n')).toHaveLength(2);
});

it('prepare without a name lists what there is', async () => {
  expect(await run('prepare')).toContain('busybox      BusyBox: ');
});

it.each([
  [[], 'image needs a command'],
  [['lst'], "there is no 'image lst'; did you mean ls?"],
  [['rm'], 'image rm needs a name'],
  [['tag', 'a'], 'image tag needs'],
  [['tag', 'a', 'b', 'c'], "image tag takes no more than 2 name(s): what is 'c'?"],
  [['ls', '--force'], '--force does not go with image ls'],
])('%j is refused', async (args, message) => {
  await expect(image(args)).rejects.toThrow(UsageError);
  await expect(image(args)).rejects.toThrow(message);
});

it('a name without a registry says where to get one of ours', async () => {
  await expect(image(['pull', 'busybox'])).rejects.toThrow(/hypertab image prepare busybox/);
  await expect(image(['pull', 'nosuch'])).rejects.toThrow(/^no registry is set to look for "nosuch" in/);
});

it('progress is a line for each thing that happens, and bytes only where they can be drawn over', () => {
  const shown = (isTTY: boolean) => {
    let text = '';
    let time = 0;
    const write = (piece: string) => {
      text += piece;
      return true;
    };
    const now = () => {
      time += 1000;
      return time;
    };
    const { onProgress, end } = imageProgressPrinter({ isTTY, write } as never, now);
    onProgress({ status: 'Pulling fs layer', id: 'abc', progressDetail: {} });
    onProgress({ status: 'Downloading', id: 'abc', progressDetail: { current: 5, total: 10 } });
    onProgress({ status: 'Verifying Checksum', id: 'abc', progressDetail: {} });
    onProgress({ status: 'Pull complete', id: 'abc', progressDetail: {} });
    end();
    return text;
  };
  expect(shown(false)).toBe('abc: Pulling fs layer\nabc: Pull complete\n');
  expect(shown(true)).toContain('Downloading 5B of 10B');
});
