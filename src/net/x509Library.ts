/**
 * Loads @peculiar/x509 when a certificate has to be made, and only then: it costs 0.2 s and 15 MB, and most starts need none.
 *
 * The library wants a Reflect metadata polyfill (its tsyringe refuses to load without one), and asks it, while it loads, only
 * whether six of its own classes carry metadata; none does. So the three functions answer "none" for as long as the library
 * loads, and Reflect is then as it was.
 */

type X509Library = typeof import('@peculiar/x509');

/** The library. */
export async function loadX509(): Promise<X509Library> {
  const reflect: Record<string, unknown> = Reflect as object as Record<string, unknown>;
  const isOurs = reflect.getMetadata === undefined;
  const none = () => undefined;
  if (isOurs) Object.assign(reflect, { getMetadata: none, getOwnMetadata: none, defineMetadata: none });
  try {
    return await import('@peculiar/x509');
  } finally {
    if (isOurs) for (const name of ['getMetadata', 'getOwnMetadata', 'defineMetadata']) delete reflect[name];
  }
}
