const { TestEnvironment } = require('jest-environment-node');

/** A mutant is killed by the first test that fails: those behind it are left out. jest itself stops between files alone. */
module.exports = class FirstFailure extends TestEnvironment {
  #failed = false;

  handleTestEvent(event) {
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure') this.#failed = true;
    else if (event.name === 'test_start' && this.#failed) event.test.mode = 'skip';
  }
};
