// All tests of a package as one file: what they import is then loaded once for a mutant, not once for each file of them.
// It runs under `npm run mutate` alone, which sets the variable.
import fc from 'fast-check';

// the same mutants are to be killed every time
fc.configureGlobal({ seed: 1 });
for (const file of JSON.parse(process.env.POSTERN_MUTATE_TESTS)) require(`../../${file}`);
