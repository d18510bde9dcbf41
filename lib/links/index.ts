export {
  activationSchema,
  hermiteToPowers,
  kernelOf,
  linkOf,
  linkSchema,
  nameOf,
  type ActivationOptions,
  type Kernel,
  type Link,
  type LinkOptions,
} from './link.js';
