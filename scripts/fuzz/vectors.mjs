/** The protocols that have vectors of bad input for their servers: see test/conformance/vectors. */
const protocols = ['fastcgi', 'scgi', 'ajp', 'uwsgi'];

/** Above this size a vector is there for its size: the fuzzer has better ways to make one. */
const MOST = 4096;

/** The vectors as inputs. */
export async function vectorsOf(name, inputOf) {
  const protocol = /^([a-z]+)-server$/.exec(name)?.[1];
  if (!protocols.includes(protocol)) return [];
  const rows = (await import(`../../test/conformance/vectors/${protocol}.ts`))[`${protocol}Vectors`];
  const inputs = rows.flatMap(({ input }) => (input instanceof Uint8Array ? [input] : Object.values(input)));
  return inputs.filter(({ length }) => length <= MOST).map((bytes) => inputOf({}, bytes));
}
