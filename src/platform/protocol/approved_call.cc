#include "protocol/approved_call.h"

#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

void fields(auto& archive, Is<ApprovedCall> auto& v) {
  archive("tool", v.tool)("settles", v.settles);
}

}  // namespace

HOLDFAST_PROTOCOL_JSON(ApprovedCall)

}  // namespace holdfast::protocol
