import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask, findMachine, findMachines } from '../../src/cli/control-client-node.ts';
import { parseRequest } from '../../src/cli/control-protocol.ts';
import { type ControlServer, serveControl } from '../../src/cli/control-server-node.ts';
import { runtimeFolder } from '../../src/cli/runtime-folder-node.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { OptionError } from '../../src/hypervisor/errors.ts';
import type { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import { fakeHypervisor } from '../hypervisor/harness.ts';

const kernel = new Uint8Array([1, 2, 3]);
const folder = mkdtempSync(join(tmpdir(), 'hypertab-control-'));
const open: { hypervisor: Hypervisor; servers: ControlServer[] }[] = [];
let before: string | undefined;

beforeAll(() => {
  before = process.env.HYPERTAB_RUNTIME_DIR;
  process.env.HYPERTAB_RUNTIME_DIR = folder;
});
afterAll(() => {
  if (before === undefined) delete process.env.HYPERTAB_RUNTIME_DIR;
  else process.env.HYPERTAB_RUNTIME_DIR = before;
  rmSync(folder, { recursive: true });
});
afterEach(async () => {
  for (const { hypervisor, servers } of open.splice(0)) {
    for (const server of servers) server.close();
    await hypervisor.destroyAll();
  }
});

async function machines(...names: string[]) {
  const { hypervisor } = fakeHypervisor();
  const servers: ControlServer[] = [];
  open.push({ hypervisor, servers });
  const vms = [];
  for (const name of names) {
    const vm = await hypervisor.create({ kernel, name });
    await vm.start();
    servers.push(await serveControl(vm));
    vms.push(vm);
  }
  return vms;
}

describe('the control socket of a machine', () => {
  it('saves a machine when it is asked to', async () => {
    const [vm] = await machines('web');
    let saved = 0;
    vm!.snapshot = async () => {
      saved++;
      return {} as never;
    };
    const { path } = await findMachine('web');
    await ask(path, { command: 'snapshot' });
    expect(saved).toBe(1);
  });

  it('lists the machines that run, by name', async () => {
    await machines('zebra', 'ant');
    const found = await findMachines();
    expect(found.map(({ status }) => [status.name, status.state, status.pid])).toEqual([
      ['ant', 'running', process.pid],
      ['zebra', 'running', process.pid],
    ]);
    expect(found[0]!.status.stats.memory).toBe(128 << 20);
  });

  it('takes what people tell a machine, and changes its limits', async () => {
    const [vm] = await machines('one');
    const { path } = await findMachine('one');
    await ask(path, { command: 'pause' });
    expect(vm!.state).toBe('paused');
    await ask(path, { command: 'resume' });
    expect(vm!.state).toBe('running');
    await ask(path, { command: 'update', limits: { cpus: 0.25 } });
    expect(vm!.limits.cpus).toBe(0.25);
    await ask(path, { command: 'stop', timeoutMs: 500, force: true });
    expect(vm!.state).toBe('stopped');
  });

  it("gives back the machine's own words when it refuses", async () => {
    await machines('one');
    const { path } = await findMachine('one');
    const refused = ask(path, { command: 'update', limits: { cpus: 7 } });
    await expect(refused).rejects.toThrow(/^cpus: 7 is no share of a core/);
    await expect(refused).rejects.toMatchObject({ name: OptionError.name });
  });

  it('says which machines there are when there is none of a name, or more than one', async () => {
    await expect(findMachine('one')).rejects.toThrow(/no machine named 'one' runs here; none does/);
    await machines('one', 'two', 'two');
    await expect(findMachine('three')).rejects.toThrow(/there are one, two, two/);
    await expect(findMachine('two')).rejects.toThrow(UsageError);
  });

  it('forgets a machine whose process has ended without a word', async () => {
    writeFileSync(join(folder, '1-1.sock'), '');
    expect(await findMachines()).toEqual([]);
    const [vm] = await machines('one');
    open[0]!.servers[0]!.close();
    expect(await findMachines()).toEqual([]);
    expect(vm!.state).toBe('running');
  });

  it('answers requests that are none with an error, and ends a connection that sends no end', async () => {
    await machines('one');
    const { path } = await findMachine('one');
    const answers = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(path);
      let text = '';
      socket.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (text.split('\n').length > 3) socket.write('x'.repeat(1 << 17));
      });
      socket.on('close', () => resolve(text));
      socket.on('error', (error: NodeJS.ErrnoException) =>
        ['EPIPE', 'ECONNRESET'].includes(error.code ?? '') ? resolve(text) : reject(error),
      );
      socket.write('nonsense\n{"command":"format"}\n{"command":"stop"}\n');
    });
    expect(
      answers
        .trim()
        .split('\n')
        .map((line) => Object.keys(JSON.parse(line) as object)),
    ).toEqual([['error'], ['error'], ['error']]);
  });

  it.each([
    'null',
    '[]',
    '7',
    '{"command":"update"}',
    '{"command":"stop","timeoutMs":-1}',
    '{"command":["kill"]}',
  ])('takes %s for no request', (line) => {
    expect(() => parseRequest(line)).toThrow();
  });

  it('is in a folder of this user alone', () => {
    process.env.HYPERTAB_RUNTIME_DIR = '/tmp';
    try {
      expect(() => runtimeFolder()).toThrow(/not this user's alone/);
    } finally {
      process.env.HYPERTAB_RUNTIME_DIR = folder;
    }
  });
});
