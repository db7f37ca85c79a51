// Debian's kernel with virtio_net: two machines of one process in a network of their own.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { VirtualMachine } from '../../src/index.ts';

const entry = new URL('../../build/src/index.js', import.meta.url);
if (!existsSync(fileURLToPath(entry))) throw new Error(`${entry} is missing: run \`npm run build\` first`);
const library = (await import(/* @vite-ignore */ entry.href)) as typeof import('../../src/index.ts');
const { EthernetSwitch, Hypervisor, OptionError, runCommand } = library;

describe.each([
  ['in shared memory', true],
  ['in messages', false],
])('guests of one network, frames %s', (_, shared) => {
  const hypervisor = new Hypervisor({ shared });
  afterAll(() => hypervisor.destroyAll());
  const run = async (vm: VirtualMachine, command: string) => (await runCommand(vm, command)).output;

  it('ping each other and send each other data, and hear nothing of another network', async () => {
    const network = hypervisor.createNetwork({ mtu: 1400 });
    expect(() => hypervisor.createNetwork({ mtu: 20 })).toThrow(OptionError);
    const other = new EthernetSwitch();
    const [a, b] = (await Promise.all([
      hypervisor.create({ guest: 'busybox', network: { network, mac: '02:00:00:00:00:0a' } }),
      hypervisor.create({ guest: 'busybox', network: [network, other] }),
    ])) as [VirtualMachine, VirtualMachine];
    await Promise.all([a.start(), b.start()]);
    await Promise.all([
      run(a, 'ifconfig eth0 10.0.0.1 netmask 255.255.255.0 up'),
      run(b, 'ifconfig eth0 10.0.0.2 netmask 255.255.255.0 up; ifconfig eth1 10.0.1.2 up'),
    ]);
    expect(
      await run(a, 'cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu /sys/class/net/eth0/carrier'),
    ).toBe('02:00:00:00:00:0a\n1400\n1\n');
    expect(await run(b, 'cat /sys/class/net/eth0/address')).toBe(`${b.interfaces[0]!.mac}\n`);
    expect(await run(a, 'ping -c 3 10.0.0.2')).toContain('3 packets received');
    // Larger than a frame: IP cuts it into pieces and puts them together again.
    expect(await run(b, 'ping -c 2 -s 9000 10.0.0.1')).toContain('2 packets received');

    await run(b, 'tail -f /dev/null | nc -l -p 99 > /tmp/got & sleep 0.3');
    const sum = await run(
      a,
      'head -c 1000000 /dev/urandom > /tmp/sent; md5sum < /tmp/sent; nc -w 2 10.0.0.2 99 < /tmp/sent',
    );
    expect(await run(b, 'md5sum < /tmp/got')).toBe(sum);

    const { counters } = a.interfaces[0]!;
    expect(counters.sentBytes).toBeGreaterThan(1_000_000);
    expect(counters).toMatchObject({ dropped: 0, refused: 0 });
    // What eth1 asks around for by itself may have gone out there, but nothing came in.
    expect(b.interfaces[1]!.counters.receivedFrames).toBe(0);

    // A guest that starts anew is in the network again; one that is gone leaves it.
    await a.reset();
    await run(a, 'ifconfig eth0 10.0.0.1 netmask 255.255.255.0 up');
    expect(await run(a, 'ping -c 2 10.0.0.2')).toContain('2 packets received');
    await b.destroy();
    expect(network.ports).toHaveLength(1);
    expect(await run(a, 'ping -c 1 -W 1 10.0.0.2')).toContain('0 packets received');
    await a.destroy();
    expect(network.ports).toHaveLength(0);
  });

  it('are not made with interfaces that cannot be', async () => {
    const network = new EthernetSwitch();
    const mac = '02:00:00:00:00:0a';
    for (const option of [
      { network, mac: 'ff:ff:ff:ff:ff:ff' },
      { network, mac: 'none' },
      [
        { network, mac },
        { network, mac },
      ],
      [network, network, network, network, network],
    ]) {
      await expect(hypervisor.create({ guest: 'busybox', network: option })).rejects.toThrow(OptionError);
    }
    expect(network.ports).toHaveLength(0);
  });
});
