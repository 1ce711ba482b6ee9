import { bundlePackages } from './bundle.mjs';

/** The programs that tests start are what the sources say, whatever was built before. */
export default function setup() {
  return bundlePackages();
}
