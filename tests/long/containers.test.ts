// Many containers in one small container host.
import { afterAll, expect, it } from 'vitest';
import { testHost } from '../support/docker.ts';

const { docker, hosts, close } = testHost({ memory: '512M' });
afterAll(close);

const MANY = 50;
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

it('fifty containers start at once in a container host of 512 MB, and work', async () => {
  const started = await Promise.all(
    Array.from({ length: MANY }, (_, index) =>
      docker(['run', '-d', '--name', `c${index}`, 'busybox', 'sh', '-c', 'echo up; exec sleep 100000']),
    ),
  );
  expect(started.filter(({ status }) => status !== 0)).toEqual([]);
  expect(lines((await docker(['ps', '-q'])).stdout)).toHaveLength(MANY);
  const memory = await hosts[0]!.agent.readText('/proc/meminfo');
  const free = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(memory)![1]);
  if (process.env.HYPERTAB_MEASURE)
    console.log(`${Math.round(free / 1024)} MB available with ${MANY} containers`);
  expect(free).toBeGreaterThan(200 * 1024);
  // The first finds the last by its name, and each has written what it was to write.
  expect((await docker(['exec', 'c0', 'ping', '-c', '1', `c${MANY - 1}`])).stdout).toContain(
    '1 packets received',
  );
  const logs = await Promise.all(started.map((_, index) => docker(['logs', `c${index}`])));
  expect(new Set(logs.map(({ stdout }) => stdout))).toEqual(new Set(['up\n']));
  const names = started.map((_, index) => `c${index}`);
  expect(lines((await docker(['rm', '-f', ...names])).stdout)).toEqual(names);
  expect(lines((await docker(['ps', '-aq'])).stdout)).toEqual([]);
  const cgroups = await hosts[0]!.agent.list('/sys/fs/cgroup/docker');
  expect(cgroups.filter(({ type }) => type === 4)).toEqual([]);
}, 300_000);
