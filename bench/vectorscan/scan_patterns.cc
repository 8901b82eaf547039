// Scans texts with Vectorscan in streaming mode, as a native program would that reads a socket.
//
//   scan_patterns PATTERNS TEXT…     PATTERNS: a line a pattern, `id<tab>regex`; the line's number is the pattern's
//
// Prints what could not be compiled, one JSON object, then answers each line of its input with one line:
//   time N     nanoseconds and matches of one stream over the N-th text
//   ends N     every match, as `pattern:end` parted by spaces
#include <hs/hs.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr size_t write_bytes = 16384;

struct Pattern {
  std::string id;
  std::string regex;
};

struct Match {
  unsigned pattern;
  unsigned long long end;
};

std::string readFile(const char *path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path);
    std::exit(2);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Pattern> readPatterns(const char *path) {
  std::vector<Pattern> patterns;
  std::istringstream lines(readFile(path));
  for (std::string line; std::getline(lines, line);) {
    const size_t tab = line.find('\t');
    patterns.push_back({line.substr(0, tab), line.substr(tab + 1)});
  }
  return patterns;
}

hs_database_t *compile(const std::vector<Pattern> &patterns) {
  std::vector<unsigned> used;
  for (unsigned i = 0; i < patterns.size(); i++) used.push_back(i);
  std::string refused;
  while (true) {
    std::vector<const char *> regexes;
    std::vector<unsigned> flags(used.size(), HS_FLAG_DOTALL);
    for (const unsigned i : used) regexes.push_back(patterns[i].regex.c_str());
    hs_database_t *database = nullptr;
    hs_compile_error_t *error = nullptr;
    const hs_error_t status = hs_compile_multi(regexes.data(), flags.data(), used.data(), regexes.size(),
                                               HS_MODE_STREAM, nullptr, &database, &error);
    if (status == HS_SUCCESS) {
      std::printf("{\"version\":\"%s\",\"compiled\":%zu,\"refused\":[%s]}\n", hs_version(), used.size(),
                  refused.c_str());
      std::fflush(stdout);
      return database;
    }
    if (error->expression < 0) {
      std::fprintf(stderr, "%s\n", error->message);
      std::exit(2);
    }
    const auto at = used.begin() + error->expression;
    refused += (refused.empty() ? "\"" : ",\"") + patterns[*at].id + ": " + error->message + "\"";
    used.erase(at);
    hs_free_compile_error(error);
  }
}

int countMatch(unsigned, unsigned long long, unsigned long long, unsigned, void *context) {
  ++*static_cast<unsigned long long *>(context);
  return 0;
}

int keepMatch(unsigned pattern, unsigned long long, unsigned long long end, unsigned, void *context) {
  static_cast<std::vector<Match> *>(context)->push_back({pattern, end});
  return 0;
}

void require(hs_error_t status) {
  if (status == HS_SUCCESS) return;
  std::fprintf(stderr, "Vectorscan failed with %d\n", status);
  std::exit(2);
}

void scan(const hs_database_t *database, hs_scratch_t *scratch, const std::string &text, match_event_handler handler,
          void *context) {
  hs_stream_t *stream = nullptr;
  require(hs_open_stream(database, 0, &stream));
  for (size_t at = 0; at < text.size(); at += write_bytes) {
    const unsigned length = static_cast<unsigned>(std::min(write_bytes, text.size() - at));
    require(hs_scan_stream(stream, text.data() + at, length, 0, scratch, handler, context));
  }
  require(hs_close_stream(stream, scratch, handler, context));
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  hs_database_t *database = compile(readPatterns(argv[1]));
  hs_scratch_t *scratch = nullptr;
  require(hs_alloc_scratch(database, &scratch));
  std::vector<std::string> texts;
  for (int i = 2; i < argc; i++) texts.push_back(readFile(argv[i]));

  std::string what;
  for (size_t number = 0; std::cin >> what >> number && number < texts.size();) {
    if (what == "time") {
      unsigned long long matches = 0;
      const auto began = std::chrono::steady_clock::now();
      scan(database, scratch, texts[number], countMatch, &matches);
      const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - began;
      std::printf("%lld %llu\n", static_cast<long long>(took.count()), matches);
    } else {
      std::vector<Match> matches;
      scan(database, scratch, texts[number], keepMatch, &matches);
      for (const Match &match : matches) std::printf("%u:%llu ", match.pattern, match.end);
      std::printf("\n");
    }
    std::fflush(stdout);
  }
  hs_free_scratch(scratch);
  hs_free_database(database);
}
