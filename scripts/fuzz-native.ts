/** Random calls of the native layer, as many as the first argument says, from the seed in the second; see fuzz-native.sh. */
import { native } from '../lib/native/index.js';
import { fuzz } from '../test/native/fuzz.js';

const [calls, seed] = process.argv.slice(2).map(Number);
const { refused, succeeded, failures } = fuzz(native, calls, seed);
for (const failure of failures) console.error(failure);
console.log(`${calls} calls from seed ${seed}: ${refused} refused, ${succeeded} succeeded, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
