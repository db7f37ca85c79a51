import { NETWORKS_MAX } from '../machine/memory-map.ts';
import { EthernetSwitch } from '../network/ethernet-switch.ts';
import { formatMac, parseMac, randomMac } from '../network/mac-address.ts';
import { OptionError } from './errors.ts';
import type { VmNetwork } from './types.ts';

/** A network interface to be, with its address. */
export interface NetworkPlan {
  network: EthernetSwitch;
  mac: Uint8Array;
}

/**
 * Network interfaces as they were asked for, each with an address.
 * @throws {OptionError} for too many, or an address that cannot be, or comes twice
 */
export function planNetworks(option: VmNetwork | readonly VmNetwork[] | undefined): NetworkPlan[] {
  const list = option === undefined ? [] : Array.isArray(option) ? option : [option as VmNetwork];
  if (list.length > NETWORKS_MAX) {
    throw new OptionError(`network: ${list.length} interfaces; a machine takes at most ${NETWORKS_MAX}`);
  }
  const taken = new Set<string>();
  return list.map((item: VmNetwork) => {
    const { network, mac: text } = item instanceof EthernetSwitch ? { network: item, mac: undefined } : item;
    if (!(network instanceof EthernetSwitch)) {
      throw new OptionError('network: it is no network; give an EthernetSwitch, or { network, mac }');
    }
    const mac = text === undefined ? randomMac() : readMac(text);
    const shown = formatMac(mac);
    if (taken.has(shown))
      throw new OptionError(`network: the MAC address ${shown} comes twice; give each its own`);
    taken.add(shown);
    return { network, mac };
  });
}

function readMac(text: string): Uint8Array {
  try {
    return parseMac(text);
  } catch (error) {
    throw new OptionError(`network: ${error instanceof Error ? error.message : error}`);
  }
}
