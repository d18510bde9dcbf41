import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'build/',
      'build-*/',
      '/figures/',
      'node_modules/',
      'examples/',
      'scripts/figures/',
      'test/fixtures/',
      'eslint.config.js',
      '.dependency-cruiser.cjs',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // One seeded generator, passed in: nothing here may differ between two runs.
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Draw from a Stream (lib/random).' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true, allowNullish: false }],
      // Numeric code: indices are checked by shape, not by type.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Without noUncheckedIndexedAccess (numeric loops) this rule calls every guard of a lookup unnecessary.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['test/**/*.ts', 'lib/*/browser/*.js'],
    // Tests, and the script of the page, read JSON, reduce over unions of typed arrays, and write one-line hooks.
    rules: Object.fromEntries(
      [
        'no-unsafe-argument',
        'no-unsafe-assignment',
        'no-unsafe-member-access',
        'no-unsafe-return',
        'restrict-plus-operands',
        'no-meaningless-void-operator',
        'no-confusing-void-expression',
      ].map((rule) => [`@typescript-eslint/${rule}`, 'off']),
    ),
  },
);
