#include "protocol/human_question.h"

#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

void fields(auto& archive, Is<HumanQuestion> auto& v) {
  archive("text", v.text)("form", v.form)("people", v.people)("roles", v.roles)("default", v.fallback)(
      "deadline_ms", v.deadline_ms);
}

}  // namespace

HOLDFAST_PROTOCOL_JSON(HumanQuestion)

}  // namespace holdfast::protocol
