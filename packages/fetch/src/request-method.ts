/**
 * The method as a Request has it: six methods in upper case, all others as sent (Fetch Standard §2.2.1).
 * @returns undefined: a method that no Request can have
 */
export function requestMethod(method: string): string | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'POST':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
    case 'PATCH':
      return method;
  }
  const upper = method.toUpperCase();
  switch (upper) {
    case 'GET':
    case 'HEAD':
    case 'POST':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
      return upper;
    case 'CONNECT':
    case 'TRACE':
    case 'TRACK':
      return undefined;
  }
  return method;
}
