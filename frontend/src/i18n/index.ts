export {
  LANGUAGES,
  type Language,
  loadLanguage,
  setLanguage,
  type Texts,
  text,
  useLanguage,
  useText,
} from "./language";
