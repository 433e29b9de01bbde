// Forms with files: the content type (first line) and the body (the rest). Parts are pieces of the body, in its order.

#include "net/multipart.h"

#include "fuzz.h"

namespace holdfast::net {

FUZZ(input) {
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view body = input.substr(std::min(line + 1, input.size()));
  const auto parts = read_form_parts(input.substr(0, line), body);
  if (!parts) {
    REQUIRE(parts.error().code() == Code::kInvalidArgument);
    return;
  }
  REQUIRE(parts->size() <= kMaxFormParts);
  const char* behind = body.data();
  for (const FormPart& part : *parts) {
    REQUIRE(part.body.data() >= behind && part.body.data() + part.body.size() <= body.data() + body.size());
    behind = part.body.data() + part.body.size();
    REQUIRE(!part.filename || part.filename->find_first_of("/\\") == std::string::npos);
  }
}

}  // namespace holdfast::net
