#include "http/definition_upload.h"

#include <fmt/format.h>

#include "http/problems.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kMaxPathBytes = 4096;  // PATH_MAX

Problem not_deployed(const Status& error, const UploadKind& kind, bool has_base) {
  switch (error.code()) {
    case Code::kInvalidArgument:
      return Problem(400, kind.code, error.message())
          .hint(has_base ? kind.guide
                         : fmt::format("{}; ?base=FOLDER says where relative paths start", kind.guide));
    case Code::kFailedPrecondition: return Problem(409, "name_mismatch", error.message());
    case Code::kPermissionDenied: return not_granted(error);
    default: return Problem::from(error);
  }
}

}  // namespace

std::expected<Uploaded, Problem> upload(ApiContext& context, const Request& request, const UploadKind& kind,
                                        std::string expected_name) {
  if (request.body.empty()) {
    return std::unexpected(Problem(400, "missing_body", fmt::format("the body must be the {}", kind.noun))
                               .hint(fmt::format("YAML or JSON; {}", kind.guide)));
  }
  const std::string base(request.query_value("base").value_or(""));
  if (!base.empty() && (!base.starts_with('/') || base.size() > kMaxPathBytes)) {
    return std::unexpected(
        Problem(400, "invalid_parameter", "'base' must be an absolute path")
            .hint(fmt::format("the folder of the {}'s file on the server's machine", kind.noun)));
  }
  const std::string source(request.query_value("source").value_or(kind.file).substr(0, runs::kMaxIdBytes));
  auto deployed = context.deps.deploy(
      {.text = request.body, .source = source, .expected_name = expected_name, .base_directory = base});
  if (!deployed) return std::unexpected(not_deployed(deployed.error(), kind, !base.empty()));
  auto stored = context.store().definition(deployed->name, deployed->version);
  if (!stored) return std::unexpected(Problem::from(stored.error()));
  return Uploaded{.definition = *std::move(stored), .created = deployed->created, .is_new = deployed->is_new};
}

Response uploaded_response(Json row, const Uploaded& uploaded) {
  row["created"] = uploaded.created;
  row["new"] = uploaded.is_new;
  return json_response(row, uploaded.created ? 201 : 200);
}

}  // namespace holdfast::http
