// Numbers cross from Python as bytes. A DataView may start anywhere in its buffer.

/** The bytes that a DataView (or anything that views a buffer) stands for, without copying. */
export function bytes(data: ArrayBufferView | ArrayBuffer): Uint8Array {
	if (data instanceof ArrayBuffer) return new Uint8Array(data);
	return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
