import { isBodyStated, lineVariables, type NamedHead, Rule, type VariableNames } from '@postern/core';

/** The request line, and what was found out about the body. */
export type RequestLine = Pick<AjpHead, 'method' | 'target' | 'protocol' | 'scheme' | 'contentLength'>;

/** The head of a request that came as a FORWARD_REQUEST. */
export class AjpHead implements NamedHead {
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  readonly contentLength: number;
  readonly names: VariableNames;
  readonly values: readonly string[];

  /**
   * @param names of the variables, header fields among them, as they came
   * @param values in the same order
   */
  constructor(line: RequestLine, names: VariableNames, values: readonly string[]) {
    this.method = line.method;
    this.target = line.target;
    this.protocol = line.protocol;
    this.scheme = line.scheme;
    this.contentLength = line.contentLength;
    this.names = names;
    this.values = values;
  }

  /** Some web servers state a length of 0 with each request that has no body, others none. */
  get hasLength(): boolean {
    return this.contentLength !== 0 || isBodyStated(this.method);
  }

  /** An empty one is not read. */
  get hasType(): boolean {
    return true;
  }

  headers(): string[] {
    const { headers, fields, length } = this.names;
    const flat: string[] = [];
    for (const i of fields) if (i !== length || this.hasLength) flat.push(headers[i] as string, this.values[i]);
    return flat;
  }

  variables(): string[] {
    const { names, length, repeated } = this.names;
    const flat = lineVariables(this);
    if (repeated) return this.#merged(flat);
    for (let i = 0; i < names.length; i++) if (i !== length || this.hasLength) flat.push(names[i], this.values[i]);
    return flat;
  }

  /** Header fields that come several times are joined (RFC 9110 §5.3); of other variables the last counts. */
  #merged(flat: string[]): string[] {
    const { names, rules, length } = this.names;
    const places = new Map<string, number>();
    for (let i = 0; i < names.length; i++) {
      if (i === length && !this.hasLength) continue;
      const name = names[i];
      const value = this.values[i];
      const place = places.get(name);
      if (place === undefined) places.set(name, flat.push(name, value) - 1);
      else if (rules[i] !== Rule.header) flat[place] = value;
      else flat[place] += (name === 'HTTP_COOKIE' ? '; ' : ', ') + value;
    }
    return flat;
  }
}
