// Boots Debian's kernel with BusyBox through the command line, as a user would.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hypertab, startHypertab, statsOf } from './cli.ts';

const exec = (command: string, ...more: string[]) => hypertab(['run', 'busybox', '--exec', command, ...more]);

describe('hypertab run busybox --exec', () => {
  it('prints only what the command wrote, and the figures of the boot', async () => {
    const result = await exec('uname -a; ls /', '--stats');
    expect(result.status).toBe(0);
    expect(result.stdout).toMatch(/^Linux \S+ 6\.\d+\.\d+\S* #1 SMP .* riscv64 GNU\/Linux\n/);
    const names = result.stdout.split('\n').slice(1).join(' ').split(/\s+/).filter(Boolean);
    expect(names).toEqual(expect.arrayContaining(['bin', 'dev', 'etc', 'init', 'proc', 'sys', 'tmp']));
    expect(result.stdout).not.toContain('\r');
    const stats = statsOf(result);
    expect(stats).toMatchObject({ engine: 'translator', reason: 'exec' });
    expect(stats.boot_ms).toBeGreaterThan(0);
    expect(stats.instructions).toBeGreaterThan(100_000_000);
    expect(Number(stats.seconds) * 1000).toBeGreaterThan(Number(stats.boot_ms));
  });

  it('interprets where that is asked for', async () => {
    const result = await exec('uname -m', '--engine', 'interpreter', '--stats');
    expect(result.stdout).toBe('riscv64\n');
    expect(statsOf(result)).toMatchObject({ engine: 'interpreter', modules: 0 });
  });

  it.each([
    ['exit 7', '', 7],
    ['false', '', 1],
    ['for i in 1 2 3; do echo "line $i"; done', 'line 1\nline 2\nline 3\n', 0],
    ['cat <<END # a remark\n\ttab and "quotes"\nEND', '\ttab and "quotes"\n', 0],
    ['printf no-line-end', 'no-line-end', 0],
    ['nosuchcommand 2>/dev/null', '', 127],
    [`echo ${'y'.repeat(4000)} | wc -c`, '4001\n', 0],
  ])('%j ends with what the shell says', async (command, stdout, status) => {
    expect(await exec(command)).toEqual({ stdout, status, stderr: '' });
  });

  it('passes on twenty thousand lines without losing a byte', async () => {
    const { stdout, status } = await exec('seq 20000');
    expect(status).toBe(0);
    expect(stdout).toBe(Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join(''));
  });

  it('gives the guest the memory that was asked for', async () => {
    const { stdout } = await exec("awk '/MemTotal/ {print $2}' /proc/meminfo", '--memory', '256M');
    expect(Number(stdout)).toBeGreaterThan(150 * 1024);
    expect(Number(stdout)).toBeLessThan(256 * 1024);
  });

  it('passes the command line on', async () => {
    const { stdout } = await exec('cat /proc/cmdline', '--append', 'console=ttyS0 quiet hypertab.test=1');
    expect(stdout).toBe('console=ttyS0 quiet hypertab.test=1\n');
  });

  it("ends with the guest's own end", async () => {
    expect((await exec('poweroff -f; sleep 60')).status).toBe(0);
    const reboot = await exec('reboot -f; sleep 60', '--no-reboot', '--stats');
    expect(reboot.status).toBe(0);
    expect(statsOf(reboot).reason).toBe('reboot');
  });

  it('reports a panic of the kernel in one line, with exit status 1', async () => {
    const { status, stderr } = await exec('echo c > /proc/sysrq-trigger; sleep 60');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^hypertab: Kernel panic - not syncing: sysrq triggered crash\n$/);
  });

  it('shows why a kernel gives up before it has consoles, with exit status 1', async () => {
    const { status, stdout, stderr } = await hypertab(['run', 'busybox', '--memory', '64M'], {
      hangMs: 60_000,
    });
    expect(status).toBe(1);
    expect(stdout).toMatch(/Kernel panic - not syncing: .*Failed to allocate/);
    expect(stderr).toMatch(/^hypertab: Kernel panic - not syncing: [^\n]*Failed to allocate[^\n]*\n$/);
  });

  it('gives up after --timeout with exit status 124', async () => {
    const begin = performance.now();
    const { status, stderr } = await exec('sleep 600', '--timeout', '6');
    expect(status).toBe(124);
    expect(stderr).toBe('hypertab: stopped after 6 s, as --timeout says\n');
    expect(performance.now() - begin).toBeLessThan(12_000);
  });
});

describe('hypertab run busybox', () => {
  it('feeds a pipe to the shell once it listens', async () => {
    const input = 'echo $((6 * 7)) is the answer\npoweroff -f\n';
    const result = await hypertab(['run', 'busybox', '--stats'], { input });
    expect(result.status).toBe(0);
    expect(result.stdout).toContain('\n42 is the answer\r\n');
    expect(statsOf(result)).toMatchObject({ reason: 'poweroff' });
    expect(statsOf(result).boot_ms).toBeGreaterThan(0);
  });

  it('goes on when stdin has ended', async () => {
    const result = await hypertab(['run', 'busybox', '--timeout', '20'], {
      input: 'sleep 1; echo still here\n',
    });
    expect(result.stdout).toContain('\nstill here\r\n');
    expect(result.status).toBe(124);
  });

  it.each([1, 4095, 1_234_567])('stops after exactly %i instructions', async (count) => {
    const result = await hypertab(['run', 'busybox', '--max-instructions', String(count), '--stats']);
    expect(result.status).toBe(124);
    expect(statsOf(result)).toMatchObject({ instructions: count, reason: 'limit' });
  });

  it('costs the host next to nothing while the guest idles, and wakes at once', async () => {
    const child = startHypertab(['run', 'busybox']);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const until = async (token: string) => {
      const end = performance.now() + 60_000;
      while (!output.includes(token)) {
        if (performance.now() > end) throw new Error(`no '${token}' in: ${output}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    child.stdin.write('echo re""ady\n');
    await until('ready');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const before = cpuSeconds(child.pid!);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const used = cpuSeconds(child.pid!) - before;
    expect(used).toBeLessThan(0.3);
    const typed = performance.now();
    child.stdin.write('echo a""wake\n');
    await until('awake');
    expect(performance.now() - typed).toBeLessThan(250);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
  });

  it('makes a guest that floods its console wait for a slow reader', async () => {
    const child = startHypertab(['run', 'busybox']);
    const ended = new Promise((resolve) => child.on('close', resolve));
    let output = '';
    const listen = (bytes: Buffer) => {
      output += bytes.toString('latin1');
    };
    child.stdout.on('data', listen);
    child.stdin.write('echo re""ady; yes\n');
    while (!output.includes('ready')) await new Promise((resolve) => setTimeout(resolve, 10));
    child.stdout.off('data', listen);
    child.stdout.pause();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const before = residentBytes(child.pid!);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(residentBytes(child.pid!) - before).toBeLessThan(32 * 1024 ** 2);
    child.kill('SIGINT');
    child.stdout.resume();
    await ended;
    expect(child.exitCode).toBe(130);
  });
});

/** CPU time a process has used (proc(5): utime and stime, in ticks of 10 ms). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
}
