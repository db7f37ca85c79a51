import { describe, expect, it } from 'vitest';
import { DetachWatch, parseDetachKeys } from '../../../src/containers/docker/detach-keys.ts';
import { completeDocker } from '../../../src/containers/docker/docker-complete.ts';
import type { DockerTask } from '../../../src/containers/docker/docker-task.ts';

const task = {
  images: { list: async () => [{ RepoTags: ['busybox:latest', 'bench:2'] }, { RepoTags: [] }] },
  engine: {
    list: () => [{ Names: ['/web'] }, { Names: ['/worker'] }],
    listVolumes: async () => [{ Name: 'data' }],
  },
} as unknown as DockerTask;

/** What the last word of a line may be. */
const complete = (line: string) => completeDocker(task, line.split(' '));

describe('what can be typed next', () => {
  it.each([
    ['ru', ['run']],
    ['re', ['rename', 'restart']],
    ['image r', ['rm']],
    ['volume ', ['create', 'inspect', 'ls', 'prune', 'rm']],
    ['container ', expect.arrayContaining(['ls', 'prune', 'exec'])],
    ['run --pub', ['--publish', '--publish-all']],
    ['run b', ['bench:2', 'busybox']],
    ['run -it --name web b', ['bench:2', 'busybox']],
    ['run -v d', ['data']],
    ['run --name w', []],
    ['run busybox w', []],
    ['exec -it w', ['web', 'worker']],
    ['exec web l', []],
    ['rm web wo', ['worker']],
    ['rmi busybox be', ['bench:2']],
    ['inspect ', ['web', 'worker']],
    ['commit web b', ['bench:2', 'busybox']],
    ['image rm b', ['bench:2', 'busybox']],
    ['volume rm d', ['data']],
    ['nosuch ', []],
  ])('%j: %j', async (line, words) => {
    expect(await complete(line)).toEqual(words);
  });
});

describe('the keys that lead away from a container', () => {
  const feed = (watch: DetachWatch, text: string) => {
    const { data, detach } = watch.feed(new TextEncoder().encode(text));
    return [new TextDecoder().decode(data), detach];
  };

  it('are found in whatever pieces they come, and everything else goes on', () => {
    const watch = new DetachWatch(parseDetachKeys());
    expect(feed(watch, 'ab\x10')).toEqual(['ab', false]);
    expect(feed(watch, 'c')).toEqual(['\x10c', false]);
    expect(feed(watch, '\x10\x10')).toEqual(['\x10', false]);
    expect(feed(watch, '\x11 not sent')).toEqual(['', true]);
  });

  it('can be others', () => {
    expect(parseDetachKeys('ctrl-a,q,ctrl-]')).toEqual([1, 113, 29]);
    expect(() => parseDetachKeys('ctrl-')).toThrow('invalid detach keys (ctrl-): unknown key ctrl-');
  });
});
