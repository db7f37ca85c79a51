// What the core's layout allows a machine: for the layers above, which do not read the layout themselves.
export { RAM_MAX } from '../../assembly/layout.ts';
