// What a restored VM is made of: what its snapshot says, and what it has to be given again.

import { EthernetSwitch } from '../network/ethernet-switch.ts';
import { randomMac } from '../network/mac-address.ts';
import type { HtvmDrive, HtvmManifest } from '../storage/htvm/htvm-manifest.ts';
import type { SentConfig } from '../worker/blob-file.ts';
import type { DriveSetup, ShareSetup } from '../worker/machine-control.ts';
import { ownDrives, setUpDrives } from './drives.ts';
import { type NetworkPlan, planNetworks } from './networks.ts';
import { setUpShares } from './shares.ts';
import { parseMemory } from './size.ts';
import { SnapshotError } from './snapshot-error.ts';
import type { RestoreOptions } from './snapshot-types.ts';
import type { GuestFiles, VmDrive } from './types.ts';

export interface RestorePlan {
  config: Omit<SentConfig, 'core'>;
  drives: DriveSetup[];
  /** The drives as they were given, for what else is said of them. */
  given: VmDrive[];
  shares: ShareSetup[];
  networks: NetworkPlan[];
}

/**
 * Plans a restored VM.
 * @param guest that of its manifest, where it is prepared here
 * @throws {SnapshotError} missing or configuration, naming what is missing or does not fit
 */
export function planRestore(
  { machine, drives, shares, interfaces, guest: booted }: HtvmManifest,
  options: RestoreOptions,
  guest: GuestFiles | undefined,
): RestorePlan {
  const { bios, ...config } = machine;
  if (options.memory !== undefined && parseMemory(options.memory) !== machine.memory) {
    throw new SnapshotError(
      'configuration',
      `memory: the machine was saved with ${machine.memory / 1024 ** 2} MiB and cannot go on with another size; leave memory out`,
    );
  }
  if (bios && (options.bios === undefined || options.bios === 'none') && guest?.bios === undefined) {
    throw new SnapshotError(
      'missing',
      booted === undefined
        ? 'bios: the machine was started with firmware of its own; give it again'
        : `guest: ${booted.name}, which the machine was booted from, is not here; prepare it first`,
    );
  }
  if (!bios && options.bios !== undefined && options.bios !== 'none') {
    throw new SnapshotError('configuration', 'bios: the machine was started without; leave it out');
  }
  const given = chooseDrives(drives, options.drives ?? [], guest);
  return {
    config: { ...config, engine: options.engine ?? config.engine },
    drives: setUpDrives(given),
    given,
    shares: chooseShares(shares, options),
    networks: chooseNetworks(interfaces.length, options),
  };
}

function chooseDrives(
  saved: readonly HtvmDrive[],
  given: readonly VmDrive[],
  guest: GuestFiles | undefined,
): VmDrive[] {
  const own = guest?.drives ?? [];
  const rest = [...given];
  const chosen: VmDrive[] = [];
  // A guest's own drives come first.
  for (const [index, drive] of saved.entries()) {
    const { kept, serial, readonly } = drive;
    if (kept === 'whole') {
      const isSnapshot = drive.memories > 1;
      chosen.push({
        kind: 'memory',
        bytes: drive.bytes,
        serial,
        readonly,
        snapshot: isSnapshot || undefined,
      });
      continue;
    }
    if (index < own.length) {
      const isOwn = own[index]!;
      const [asSaved] = ownDrives({ ...guest!, drives: [isOwn] }, { snapshot: kept === 'changes' });
      chosen.push(asSaved!);
      continue;
    }
    const next = rest.shift();
    if (next === undefined) {
      throw new SnapshotError(
        'missing',
        `drive: ${drive.name} is not in the snapshot; give it as it was given before${kept === 'changes' ? ' (its changes are in the snapshot)' : ''}`,
      );
    }
    chosen.push(serial === undefined || next.serial !== undefined ? next : { ...next, serial });
  }
  if (rest.length > 0) {
    throw new SnapshotError(
      'configuration',
      `drive: the machine was saved with ${saved.length} drives, and ${rest.length} more are given; leave them out`,
    );
  }
  return chosen;
}

function chooseShares(saved: HtvmManifest['shares'], options: RestoreOptions): ShareSetup[] {
  const given = setUpShares(options.shares ?? []);
  const extra = given.find(({ tag }) => !saved.some((share) => share.tag === tag));
  if (extra !== undefined) {
    throw new SnapshotError(
      'configuration',
      `share ${extra.tag}: the machine was saved without it; leave it out`,
    );
  }
  return saved.map(({ tag, kept, shared }) => {
    const share = given.find((candidate) => candidate.tag === tag);
    if (kept === 'inside') {
      if (share === undefined) return { tag, tree: { kind: 'memory', shared } };
      throw new SnapshotError('configuration', `share ${tag}: its files are in the snapshot; leave it out`);
    }
    if (share === undefined) {
      throw new SnapshotError(
        'missing',
        `share ${tag}: it is not in the snapshot; give it as it was given before`,
      );
    }
    return share;
  });
}

function chooseNetworks(count: number, { network }: RestoreOptions): NetworkPlan[] {
  if (network === undefined) {
    return Array.from({ length: count }, () => ({ network: new EthernetSwitch(), mac: randomMac() }));
  }
  const plans = planNetworks(network);
  if (plans.length !== count) {
    throw new SnapshotError(
      'configuration',
      `network: the machine was saved with ${count} interfaces, and ${plans.length} are given; give as many`,
    );
  }
  return plans;
}
