export { LANGUAGES, type Language, setLanguage, type Texts, text, useLanguage, useText } from "./language";
