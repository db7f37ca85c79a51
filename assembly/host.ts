// What the core imports from its host (src/core/core.ts gives it).

/** Reads a device register into SCRATCH (64 bits); 0 when nothing answers. */
// @ts-ignore: decorator
@external("host", "mmioRead")
export declare function mmioRead(address: f64, size: i32): i32;

/** Writes a device register; 0 when nothing answers. */
// @ts-ignore: decorator
@external("host", "mmioWrite")
export declare function mmioWrite(address: f64, size: i32, low: u32, high: u32): i32;

/** A call that must leave the core at once; kinds are layout.ts's HOST_*. */
// @ts-ignore: decorator
@external("host", "call")
export declare function hostCall(kind: i32): f64;

/** Compiles the module of `length` bytes at `address` and puts its functions into the table. */
// @ts-ignore: decorator
@external("host", "install")
export declare function install(address: usize, length: u32): void;
