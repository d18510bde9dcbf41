export { squared } from './squared.js';
