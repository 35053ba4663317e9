// The report's scripts share one scope, so who uses and defines what across files is the type checker's to say.
import js from "@eslint/js";

export default [
  js.configs.recommended,
  {
    files: ["pipeline/comparison/report/*.js", "pipeline/tracking/*.js"],
    languageOptions: { ecmaVersion: 2025, sourceType: "script" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off",
      "no-unused-vars": ["error", { vars: "local" }],
      "no-redeclare": "off",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      curly: ["error", "multi-line"],
      "max-params": ["error", 7],
      "max-lines": ["error", 300],
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-restricted-properties": ["error", { property: "innerHTML" }, { property: "outerHTML" }, { property: "insertAdjacentHTML" }],
    },
  },
];
