import { BlockDevice } from '../virtio/block/block-device.ts';
import { NetDevice } from '../virtio/net/net-device.ts';
import type { VirtioDevice } from '../virtio/virtio-device.ts';

/** What a machine's drives and network interfaces have done since it was made. */
export interface IoCounters {
  driveReads: number;
  driveReadBytes: number;
  driveWrites: number;
  driveWrittenBytes: number;
  /** Frames that reached the guest, and their bytes. */
  receivedFrames: number;
  receivedBytes: number;
  /** Frames that the guest has sent, and their bytes. */
  transmittedFrames: number;
  transmittedBytes: number;
}

/** Adds up the counters of all drives and network interfaces. */
export function countIo(devices: Iterable<VirtioDevice>): IoCounters {
  const sum: IoCounters = {
    driveReads: 0,
    driveReadBytes: 0,
    driveWrites: 0,
    driveWrittenBytes: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    transmittedFrames: 0,
    transmittedBytes: 0,
  };
  for (const device of devices) {
    if (device instanceof BlockDevice) {
      sum.driveReads += device.counters.reads;
      sum.driveReadBytes += device.counters.readBytes;
      sum.driveWrites += device.counters.writes;
      sum.driveWrittenBytes += device.counters.writtenBytes;
    } else if (device instanceof NetDevice) {
      sum.receivedFrames += device.counters.receivedFrames;
      sum.receivedBytes += device.counters.receivedBytes;
      sum.transmittedFrames += device.counters.transmittedFrames;
      sum.transmittedBytes += device.counters.transmittedBytes;
    }
  }
  return sum;
}
