// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles.
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  BuildOptions,
  BuildRunner,
  RunStep,
} from '../../../../src/containers/images/build/build-types.ts';
import { viewOf } from '../../../../src/containers/images/build/stage.ts';
import type { ImageStore } from '../../../../src/containers/images/image-store.ts';
import { openImageStore } from '../../../../src/containers/images/image-store-node.ts';
import { imageOf, ociArchive, tar } from '../fixtures.ts';
import { removeFolders, temporaryFolder } from '../programs.ts';

afterAll(removeFolders);

const base = tar(
  { path: 'bin', type: 'symlink', target: 'usr/bin' },
  { path: 'usr/bin/sh', data: 'a shell', mode: 0o755 },
  { path: 'tmp', type: 'directory', mode: 0o1777 },
  { path: 'etc/passwd', data: 'root:x:0:0::/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\n' },
  { path: 'etc/group', data: 'root:x:0:\nstaff:x:50:\n' },
);

let images: ImageStore;
let words: string;
beforeEach(async () => {
  images = openImageStore(await temporaryFolder());
  await images.load(ociArchive(imageOf([base], { config: { Env: ['PATH=/bin'] } }), 'base:latest'));
  words = '';
});

/** A context with these files. */
async function context(files: Record<string, string | Uint8Array>): Promise<BuildOptions['context']> {
  const path = await temporaryFolder();
  for (const [name, data] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), data);
  }
  return { kind: 'directory', path };
}

const build = (lines: string[], options: BuildOptions = {}) =>
  images.build({
    dockerfileText: lines.join('\n'),
    tags: ['made'],
    onProgress: ({ stream }) => {
      words += stream ?? '';
    },
    ...options,
  });

/** Every file of an image: `path mode uid:gid contents`. */
async function filesOf(name: string): Promise<Record<string, string>> {
  const { records } = (await images.catalogue()).find(name).image;
  const view = await viewOf(images.content, records[0]!.layers);
  const found: Record<string, string> = {};
  const walk = async (path: string): Promise<void> => {
    const node = (await view.find(path, false))!;
    if (node.kind === 'directory') {
      for (const child of await view.names(node)) await walk(`${path}/${child}`);
      if (path === '') return;
    }
    const { mode, uid, gid } = node.attributes;
    let contents = node.kind === 'symlink' ? `-> ${await view.targetOf(node)}` : '';
    if (node.kind === 'file') {
      for await (const bytes of view.bytes(node)) contents += new TextDecoder().decode(bytes);
    }
    found[path] = `${(mode & 0o7777).toString(8)} ${uid}:${gid} ${contents}`.trim();
  };
  await walk('');
  await view.close();
  return found;
}

/** A runner that does what a test says, and remembers what it was asked. */
function runner(
  act: (step: RunStep) => { status?: number; layer?: Uint8Array; output?: string } = () => ({}),
) {
  const steps: RunStep[] = [];
  const run: BuildRunner = async (step) => {
    steps.push(step);
    const { status = 0, layer = tar(), output = '' } = act(step);
    step.onOutput(new TextEncoder().encode(output));
    return { status, layer };
  };
  return { run, steps };
}

describe('settings', () => {
  it('are those of the instructions, on top of those of the image below', async () => {
    const id = await build([
      'ARG VERSION=1',
      'FROM base',
      'ARG VERSION',
      'ARG OTHER=x',
      'ENV A=$VERSION B="two words" C=${OTHER}y',
      'ENV OLD style of it',
      'LABEL l=m "n o"=p',
      'EXPOSE 80 53/udp 8000-8002',
      'VOLUME /data /more',
      'VOLUME ["/json"]',
      'USER web',
      'WORKDIR /srv',
      'WORKDIR deep/../er',
      'STOPSIGNAL SIGQUIT',
      'SHELL ["/bin/sh", "-ec"]',
      'ENTRYPOINT run me',
      'CMD ["a", "b"]',
      'HEALTHCHECK --interval=1m30s --retries=3 CMD ["check"]',
      'MAINTAINER someone',
      'ONBUILD RUN later',
    ]);
    const { Config, Author, Architecture } = await images.inspect('made');
    expect(Config).toEqual({
      Env: ['PATH=/bin', 'A=1', 'B=two words', 'C=xy', 'OLD=style of it'],
      Labels: { l: 'm', 'n o': 'p' },
      ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} },
      Volumes: { '/data': {}, '/more': {}, '/json': {} },
      User: 'web',
      WorkingDir: '/srv/er',
      StopSignal: 'SIGQUIT',
      Shell: ['/bin/sh', '-ec'],
      Entrypoint: ['/bin/sh', '-ec', 'run me'],
      Cmd: ['a', 'b'],
      Healthcheck: { Test: ['CMD', 'check'], Interval: 90e9, Retries: 3 },
      OnBuild: ['RUN later'],
    });
    expect({ Author, Architecture }).toEqual({ Author: 'someone', Architecture: 'riscv64' });
    expect(words).toContain('Step 1/19 : FROM base');
    expect(words).toContain(`Successfully built ${id.slice(7, 19)}\nSuccessfully tagged made:latest\n`);
    expect((await filesOf('made'))['/srv/er']).toBe('755 0:0');
  });

  it('an ENTRYPOINT takes the CMD of the image below away, but not one of its own stage', async () => {
    await build(['FROM base', 'ENTRYPOINT ["x"]']);
    expect((await images.inspect('made')).Config.Cmd).toBeUndefined();
    await build(['FROM base', 'CMD ["y"]', 'ENTRYPOINT ["x"]']);
    expect((await images.inspect('made')).Config.Cmd).toEqual(['y']);
  });

  it('arguments are what the caller gives, where they are declared', async () => {
    await build(['FROM base', 'ARG A=default', 'ENV B=$A C=$UNDECLARED'], {
      buildArgs: { A: 'given', UNDECLARED: 'x' },
    });
    expect((await images.inspect('made')).Config.Env).toEqual(['PATH=/bin', 'B=given', 'C=']);
  });

  it('what ONBUILD has left is done by the next build on top', async () => {
    await build(['FROM base', 'ONBUILD ENV A=b', 'ONBUILD WORKDIR /there'], { tags: ['parent'] });
    await build(['FROM parent']);
    const { Config } = await images.inspect('made');
    expect(Config).toMatchObject({ Env: ['PATH=/bin', 'A=b'], WorkingDir: '/there' });
    expect(Config.OnBuild).toBeUndefined();
  });
});

describe('COPY and ADD', () => {
  it('put files, folders and what fits patterns where docker does, and belong to root', async () => {
    const from = await context({
      one: '1',
      'dir/a': 'a',
      'dir/sub/b': 'b',
      'x.txt': 'x',
      'y.txt': 'y',
      '.wh-not': '',
    });
    await build(
      [
        'FROM base',
        'COPY one /file',
        'COPY one /folder/',
        'COPY dir /tree',
        'COPY *.txt /texts/',
        'WORKDIR /work',
        'COPY one .',
        'COPY --chmod=640 --chown=web:staff one /tmp/owned',
        'COPY ["one", "/with blank"]',
      ],
      { context: from },
    );
    const files = await filesOf('made');
    expect(files).toMatchObject({
      '/file': '644 0:0 1',
      '/folder/one': '644 0:0 1',
      '/tree/a': '644 0:0 a',
      '/tree/sub/b': '644 0:0 b',
      '/texts/x.txt': '644 0:0 x',
      '/texts/y.txt': '644 0:0 y',
      '/work/one': '644 0:0 1',
      '/tmp/owned': '640 33:50 1',
      '/with blank': '644 0:0 1',
      '/tmp': '1777 0:0',
    });
  });

  it('a link in the image below is gone through, not replaced, and none leads out', async () => {
    await images.import(
      tar(
        { path: 'bin', type: 'symlink', target: 'usr/bin' },
        { path: 'up', type: 'symlink', target: '../../../../escape' },
      ),
      { reference: 'links' },
    );
    await build(['FROM links', 'COPY f /bin/f', 'COPY f /up/f'], { context: await context({ f: 'f' }) });
    expect(await filesOf('made')).toEqual({
      '/bin': '777 0:0 -> usr/bin',
      '/up': '777 0:0 -> ../../../../escape',
      '/usr': '755 0:0',
      '/usr/bin': '755 0:0',
      '/usr/bin/f': '644 0:0 f',
      '/escape': '755 0:0',
      '/escape/f': '644 0:0 f',
    });
  });

  it('a link in the context that leads out of it is not followed', async () => {
    const from = await context({ dir: '' });
    const { path } = from as { path: string };
    await symlink('/etc/passwd', join(path, 'evil'));
    await expect(build(['FROM base', 'COPY evil /x'], { context: from })).rejects.toThrow(
      'file does not exist',
    );
    await expect(build(['FROM base', 'COPY ../../../../etc/passwd /x'], { context: from })).rejects.toThrow(
      'file does not exist',
    );
  });

  it('.dockerignore keeps files out, and takes back', async () => {
    const from = await context({
      '.dockerignore': 'dir/*\n!dir/keep\nsecret\n',
      'dir/keep': 'k',
      'dir/drop': 'd',
      secret: 's',
    });
    await build(['FROM scratch', 'COPY . /'], { context: from });
    expect(Object.keys(await filesOf('made')).sort()).toEqual(['/.dockerignore', '/dir', '/dir/keep']);
    await expect(build(['FROM base', 'COPY secret /x'], { context: from })).rejects.toThrow(
      'COPY failed: file not found in build context or excluded by .dockerignore: stat secret: file does not exist',
    );
  });

  it('modes of files are kept', async () => {
    const from = await context({ program: '#!' });
    await chmod(join((from as { path: string }).path, 'program'), 0o755);
    await build(['FROM scratch', 'COPY program /'], { context: from });
    expect(await filesOf('made')).toEqual({ '/program': '755 0:0 #!' });
  });

  it('ADD unpacks archives, COPY does not', async () => {
    const archive = tar({ path: 'in/side', data: 'unpacked', uid: 7, gid: 8 });
    const from = await context({
      'a.tar': archive,
      'b.tgz': new Uint8Array(gzipSync(archive)),
      'c.gz': new Uint8Array(gzipSync('text')),
    });
    await build(['FROM scratch', 'ADD a.tar /a/', 'ADD b.tgz /b', 'COPY a.tar /', 'ADD c.gz /'], {
      context: from,
    });
    const files = await filesOf('made');
    expect(files['/a/in/side']).toBe('644 7:8 unpacked');
    expect(files['/b/in/side']).toBe('644 7:8 unpacked');
    expect(Object.keys(files)).toEqual(expect.arrayContaining(['/a.tar', '/c.gz']));
  });

  it('texts of the Dockerfile become files, with variables unless they are quoted', async () => {
    await build([
      'FROM scratch',
      'ARG who=you',
      'COPY <<one <<"two" /d/',
      'hello $who',
      'one',
      'hello $who',
      'two',
    ]);
    expect(await filesOf('made')).toMatchObject({
      '/d/one': '644 0:0 hello you',
      '/d/two': '644 0:0 hello $who',
    });
  });

  it.each([
    ['COPY one two /file', 'the destination must be a directory and end with a /'],
    ['COPY one', 'COPY requires at least two arguments'],
    ['COPY nosuch /', 'stat nosuch: file does not exist'],
    ['COPY no*such /', 'stat no*such: file does not exist'],
    ['COPY one /etc/passwd/x', '/etc/passwd is not a directory'],
    ['COPY one /etc', ''],
    ['COPY --chown=nobody one /', 'no such user: nobody'],
    ['COPY --chmod=u+x one /', "invalid chmod parameter: 'u+x'"],
    ['COPY --from=3 one /', 'invalid from flag value 3'],
    ['COPY --nosuch one /', 'dockerfile parse error on line 2: unknown flag: --nosuch'],
    ['COPY one /.wh.x', 'names with .wh.'],
  ])('%s: %s', async (line, message) => {
    const made = build(['FROM base', line], { context: await context({ one: '1', two: '2' }) });
    if (message === '') await made;
    else await expect(made).rejects.toThrow(message);
  });
});

describe('stages', () => {
  it('copy from each other and from other images, and only those that are needed are built', async () => {
    const { run, steps } = runner((step) => ({
      layer: tar({ path: 'out', data: step.command.at(-1)!, uid: 5 }),
    }));
    await build(
      [
        'FROM base AS tools',
        'RUN make tools',
        'FROM base AS unused',
        'RUN make nothing',
        'FROM scratch',
        'COPY --from=tools /out /tools',
        'COPY --from=base /etc/group /',
        'COPY --from=0 /bin/sh /sh',
      ],
      { runner: run },
    );
    expect(await filesOf('made')).toMatchObject({ '/tools': '644 5:0 make tools', '/sh': '755 0:0 a shell' });
    expect(steps.map(({ command }) => command)).toEqual([['/bin/sh', '-c', 'make tools']]);
  });

  it('end with the target', async () => {
    const lines = ['FROM base AS one', 'ENV A=1', 'FROM one AS two', 'ENV A=2'];
    await build(lines, { target: 'one' });
    expect((await images.inspect('made')).Config.Env).toContain('A=1');
    await expect(build(lines, { target: 'three' })).rejects.toThrow(
      'target stage "three" could not be found',
    );
  });
});

describe('RUN', () => {
  it('is given the image so far, the command, environment and arguments, and its changes are a layer', async () => {
    const { run, steps } = runner(() => ({
      layer: tar({ path: 'etc/.wh.group', data: '' }, { path: 'new', data: 'n' }),
      output: 'said\n',
    }));
    await build(
      [
        'FROM base',
        'ARG V=1',
        'USER web',
        'RUN echo $V',
        'RUN ["exact", "words"]',
        'RUN <<EOF',
        'a script',
        'EOF',
      ],
      { runner: run },
    );
    expect(steps.map(({ command }) => command)).toEqual([
      ['/bin/sh', '-c', 'echo $V'],
      ['exact', 'words'],
      ['/bin/sh', '-c', 'a script\n'],
    ]);
    expect(steps[0]).toMatchObject({ env: ['PATH=/bin', 'V=1'], config: { User: 'web' } });
    expect(steps[1]!.image).not.toBe(steps[0]!.image);
    const files = await filesOf('made');
    expect(files['/new']).toBe('644 0:0 n');
    expect(files['/etc/group']).toBeUndefined();
    expect((await images.inspect('made')).Config.Env).toEqual(['PATH=/bin']);
    expect(words).toContain('said\n');
    expect((await images.history('made'))[0]?.CreatedBy).toBe('RUN /bin/sh -c a script\n');
  });

  it('that fails ends the build with its code, and there is no image of that name', async () => {
    const { run } = runner(() => ({ status: 3 }));
    await expect(build(['FROM base', 'RUN false'], { runner: run })).rejects.toThrow(
      "The command '/bin/sh -c false' returned a non-zero code: 3",
    );
    await expect(images.inspect('made')).rejects.toThrow('No such image: made:latest');
  });

  it('without a machine is refused with its line', async () => {
    await expect(build(['FROM base', '', 'RUN x'])).rejects.toThrow('line 3: RUN needs a machine to run in');
  });
});

describe('the cache', () => {
  it('has what nothing has changed of, and not what has', async () => {
    const { run, steps } = runner((step) => ({ layer: tar({ path: 'out', data: step.command.at(-1)! }) }));
    const lines = ['FROM base', 'RUN first', 'COPY file /', 'RUN second'];
    const first = await build(lines, { context: await context({ file: '1', other: 'x' }), runner: run });
    expect(await build(lines, { context: await context({ file: '1', other: 'y' }), runner: run })).toBe(
      first,
    );
    expect(words.match(/Using cache/g)).toHaveLength(3);
    expect(steps).toHaveLength(2);
    const changed = await build(lines, { context: await context({ file: '2' }), runner: run });
    expect(changed).not.toBe(first);
    expect(steps.map(({ command }) => command.at(-1))).toEqual(['first', 'second', 'second']);
    await build(lines, { context: await context({ file: '2' }), runner: run, noCache: true });
    expect(steps).toHaveLength(5);
  });

  it('does not hang on the order in which settings were made', async () => {
    const { run, steps } = runner();
    const lines = [
      'FROM base',
      'CMD x',
      'ENV A=b',
      'USER web',
      'WORKDIR /w',
      'EXPOSE 1',
      'RUN y',
      'LABEL l=m',
      'RUN z',
    ];
    expect(await build(lines, { runner: run })).toBe(await build(lines, { runner: run }));
    expect(steps).toHaveLength(2);
  });

  it('is asked about the values of arguments too', async () => {
    const { run, steps } = runner();
    const lines = ['FROM base', 'ARG A', 'RUN x'];
    for (const A of ['1', '2', '1']) await build(lines, { buildArgs: { A }, runner: run });
    expect(steps.map(({ env }) => env.at(-1))).toEqual(['A=1', 'A=2']);
  });

  it('has the steps of a build that failed later', async () => {
    const { run, steps } = runner(({ command }) => ({ status: command.at(-1) === 'bad' ? 1 : 0 }));
    await expect(build(['FROM base', 'RUN good', 'RUN bad'], { runner: run })).rejects.toThrow('non-zero');
    await build(['FROM base', 'RUN good', 'RUN better'], { runner: run });
    expect(steps.map(({ command }) => command.at(-1))).toEqual(['good', 'bad', 'better']);
  });

  it('goes with the image: steps on the way are not listed, and are removed with it', async () => {
    await build(['FROM base', 'ENV A=1', 'ENV B=2', 'ENV C=3']);
    expect((await images.list()).flatMap(({ RepoTags }) => RepoTags).sort()).toEqual([
      'base:latest',
      'made:latest',
    ]);
    expect(await images.list({ all: true })).toHaveLength(4);
    await images.remove('made');
    expect(await images.list({ all: true })).toHaveLength(1);
  });
});

it.each([
  [['RUN x'], 'dockerfile parse error on line 1: no build stage in current context'],
  [['ARG x'], 'no build stage in current context'],
  [['FROM a b'], 'dockerfile parse error on line 1: FROM requires either one or three arguments'],
  [['FROM scratch'], 'No image was generated'],
  [['FROM scratch', 'RUN x'], 'RUN needs an image with a shell'],
  [['FROM nosuch'], 'no registry is set to look for "nosuch" in'],
  [['FROM base', 'ENV'], 'dockerfile parse error on line 2: ENV requires at least one argument'],
  [['FROM base', 'ENV A'], 'dockerfile parse error on line 2: ENV must have two arguments'],
  [['FROM base', 'ENV A=b c'], `can't find = in "c"`],
  [['FROM base', 'EXPOSE 99999'], 'Invalid containerPort: 99999'],
  [['FROM base', 'SHELL sh'], 'SHELL requires the arguments to be in JSON form'],
  [['FROM base', 'HEALTHCHECK foo'], 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
  [['FROM base', 'HEALTHCHECK --interval=x CMD y'], 'time: invalid duration "x"'],
  [['FROM base', 'ONBUILD FROM x'], "FROM isn't allowed as an ONBUILD trigger"],
  [['FROM base', 'STOPSIGNAL bad signal'], 'invalid signal: bad signal'],
  [['FROM base AS 1x'], 'invalid name for build stage'],
])('%j is refused in the words of docker: %s', async (lines, message) => {
  await expect(build(lines)).rejects.toThrow(message);
  expect(await images.content.files.list('leases')).toEqual([]);
});

it('a Dockerfile is read from the context, and one that is not there is said to be so', async () => {
  const from = await context({ 'docker/File': 'FROM base\nENV A=b' });
  await images.build({ context: from, dockerfile: 'docker/File', tags: ['made'] });
  expect((await images.inspect('made')).Config.Env).toContain('A=b');
  await expect(images.build({ context: from })).rejects.toThrow(
    'failed to read dockerfile: open Dockerfile: no such file or directory',
  );
});
