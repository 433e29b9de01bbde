#include "holdfast/options.h"

namespace holdfast {
namespace {

Payload typed(Payload payload, const char* type) {
  payload.metadata["type"] = type;
  return payload;
}

}  // namespace

SearchAttributes& SearchAttributes::keyword(const std::string& name, const std::string& value) {
  return raw(name, typed(to_payload(value), "Keyword"));
}
SearchAttributes& SearchAttributes::keyword_list(const std::string& name,
                                                 const std::vector<std::string>& value) {
  return raw(name, typed(to_payload(value), "KeywordList"));
}
SearchAttributes& SearchAttributes::text(const std::string& name, const std::string& value) {
  return raw(name, typed(to_payload(value), "Text"));
}
SearchAttributes& SearchAttributes::integer(const std::string& name, std::int64_t value) {
  return raw(name, typed(to_payload(value), "Int"));
}
SearchAttributes& SearchAttributes::real(const std::string& name, double value) {
  return raw(name, typed(to_payload(value), "Double"));
}
SearchAttributes& SearchAttributes::boolean(const std::string& name, bool value) {
  return raw(name, typed(to_payload(value), "Bool"));
}
SearchAttributes& SearchAttributes::datetime(const std::string& name, const std::string& value) {
  return raw(name, typed(to_payload(value), "Datetime"));
}
SearchAttributes& SearchAttributes::unset(const std::string& name) {
  return raw(name, null_payload());
}

}  // namespace holdfast
