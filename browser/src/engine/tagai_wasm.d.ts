/**
 * What is used of the module that browser/make builds from crates/wasm. The class stands here as wasm-bindgen writes it, which
 * browser/make checks.
 */

export class Engine {
    free(): void;
    [Symbol.dispose](): void;
    beginAs(context: string, origin: string, path: string, name: string, scope: string, algorithm: string, user: string, password: Uint8Array | number[], now: number): string;
    begin(context: string, origin: string, path: string, now: number): string;
    bind(sequence: number, t: Uint8Array | number[]): string;
    drop(id: number): void;
    expects(context: string, origin: string, path: string, now: number): string;
    expire(context: string, now: number): string;
    field(sequence: number): string | undefined;
    logins(context: string): string;
    logoutAll(context: string): void;
    logout(context: string, name: string, scope: string, algorithm: string): boolean;
    constructor();
    receive(sequence: number, status: number, fields: string, certificate: Uint8Array | number[] | null | undefined, now: number): string;
    remember(context: string, origin: string, name: string, scope: string, algorithm: string, user: string, password: Uint8Array | number[]): void;
    supply(ask: number, user: string, password: Uint8Array | number[]): string;
    untilExpiry(context: string, now: number): number | undefined;
    verifier(name: string, scope: string, algorithm: string, user: string, password: Uint8Array | number[]): string;
}

/** Makes the module ready, from its octets or once it is compiled. */
export function initSync(source: { module: BufferSource | WebAssembly.Module }): unknown;

/** Makes the module ready, from its octets. */
export default function init(source: { module_or_path: ArrayBuffer }): Promise<unknown>;
