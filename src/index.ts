// The package: `import { Hypervisor } from 'hypertab'`. The same in a browser and in Node.
export { compare } from './containers/compare/compare.ts';
export { COMPARE_PROGRAMS } from './containers/compare/compare-programs.ts';
export { formatComparison } from './containers/compare/compare-table.ts';
export type * from './containers/compare/compare-types.ts';
export { CompareError } from './containers/compare/compare-types.ts';
export { chosenFiles, type FileChooser } from './containers/docker/chosen-files.ts';
export { type DockerTask, runDocker } from './containers/docker/docker-command.ts';
export { completeDocker } from './containers/docker/docker-complete.ts';
export type { DockerIo, HostFiles } from './containers/docker/docker-io.ts';
export { errorOutput, imageProgressPrinter } from './containers/docker/image-progress.ts';
export { ContainerHost, type ContainerHostOptions } from './containers/engine/container-host.ts';
export type { LogLine, LogOptions } from './containers/engine/container-logs.ts';
export { ContainerEngine, type ContainerEngineOptions } from './containers/engine/engine.ts';
export { EngineError } from './containers/engine/engine-error.ts';
export type * from './containers/engine/engine-types.ts';
export {
  type BindResolver,
  type BoundPath,
  MemoryVolumes,
  type VolumeStore,
} from './containers/engine/volume-store.ts';
export { BrowserVolumes } from './containers/engine/volume-store-browser.ts';
export { ImageStore } from './containers/images/image-store.ts';
export { ImageStoreError, type ImageStoreErrorCode } from './containers/images/image-store-error.ts';
export { type OpenImagesOptions, openImages } from './containers/images/open-images.ts';
export type { RegistrySettings } from './containers/images/registry/registry-settings.ts';
export type {
  CommitOptions,
  ContainerConfig,
  Digest,
  ImageConfig,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageProgress,
  ImagePruneReport,
  ImageRootfs,
  ImageSummary,
  Images,
  ImageTaskOptions,
  RegistryCredentials,
  RegistryTaskOptions,
  RemoveOptions,
} from './containers/images/types.ts';
export { type HostFeatures, hostFeatures } from './core/host-features.ts';
export { GuestError } from './guests/guest-error.ts';
export type { GuestEntry, GuestFile, GuestManifest } from './guests/guest-types.ts';
export { resolveGuestHttp } from './guests/resolve-http.ts';
export {
  parsePasses,
  runTwin,
  type Workload,
  WorkloadError,
  type WorkloadPass,
  withParameters,
} from './guests/workloads.ts';
export {
  FileError,
  GuestStoppedError,
  HypertabError,
  ImageError,
  OptionError,
  StateError,
  TimeoutError,
  WorkerLostError,
} from './hypervisor/errors.ts';
export { Hypervisor, type HypervisorOptions } from './hypervisor/hypervisor.ts';
export type { VmLimits } from './hypervisor/limits.ts';
export type { WorkerFactory, WorkerHandle } from './hypervisor/platform.ts';
export { describeReason, type WaitOptions, waitForPrompt } from './hypervisor/prompt.ts';
export { type CommandResult, type RunOptions, runCommand } from './hypervisor/run-command.ts';
export type { ShutdownOptions } from './hypervisor/shutdown.ts';
export { formatSize, parseMemory, parseSize } from './hypervisor/size.ts';
export { SnapshotError, type SnapshotFault } from './hypervisor/snapshot-error.ts';
export type {
  CloneOptions,
  FreshSnapshot,
  RestoreOptions,
  Snapshot,
  SnapshotOptions,
  SnapshotProgress,
  SnapshotStore,
} from './hypervisor/snapshot-types.ts';
export type {
  FileSource,
  GuestFiles,
  GuestResolver,
  VirtualMachine,
  VmConsole,
  VmDrive,
  VmEvents,
  VmFolder,
  VmInterface,
  VmNetwork,
  VmOptions,
  VmShare,
  VmState,
  VmStats,
} from './hypervisor/types.ts';
export type { Engine, MachineMemory, MachineStats, StopReason } from './machine/machine-types.ts';
export { EthernetSwitch, type PortCounters, type SwitchOptions } from './network/ethernet-switch.ts';
export type { DriveSource, DriveSpec } from './storage/drive-spec.ts';
export type { SetFile } from './storage/tree/file-set.ts';
export type { TreeFile } from './storage/tree/tree-files.ts';
export type { TreeSource, TreeSpec } from './storage/tree/tree-spec.ts';
export type { DriveRates } from './virtio/block/block-device.ts';
export type { NetworkRates } from './virtio/net/net-device.ts';
