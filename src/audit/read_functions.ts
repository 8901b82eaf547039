/**
 * What a read-only query may call, lower case: functions that compute from their arguments alone. Not in it, on
 * purpose: whatever reads files (`file`), asks the network (`aiGenerate`, `reverseDNSQuery`, `hasColumnInTable`), looks
 * into the server (`getServerSetting`, `hostName`, `addressToLine`, `dictGet…`, `joinGet`), or waits (`sleep`).
 */
export const read_functions: ReadonlySet<string> = new Set(
  `
  and or xor not if multiIf ifNull nullIf coalesce isNull isNotNull isNullable isZeroOrNull assumeNotNull toNullable
  firstNonDefault least greatest clamp caseWithExpression transform lambda exists in notIn globalIn globalNotIn nullIn
  notNullIn equals notEquals less greater lessOrEquals greaterOrEquals isDistinctFrom isNotDistinctFrom identity
  materialize ignore toTypeName version currentDatabase database

  plus minus multiply divide divideOrNull intDiv intDivOrZero intDivOrNull modulo moduloOrZero moduloOrNull mod
  positiveModulo negate abs gcd lcm max2 min2 midpoint isFinite isInfinite isNaN ifNotFinite sqr sqrt cbrt exp exp2 exp10
  log ln log2 log10 log1p pow power sign sin cos tan asin acos atan atan2 sinh cosh tanh degrees radians pi e factorial
  hypot sigmoid widthBucket round floor ceil ceiling trunc truncate roundBankers roundDown roundToExp2 roundDuration
  bitAnd bitOr bitXor bitNot bitShiftLeft bitShiftRight bitTest bitCount bitHammingDistance

  length lengthUTF8 empty notEmpty char_length character_length lower upper lcase ucase lowerUTF8 upperUTF8 reverse
  reverseUTF8 concat concatWithSeparator concat_ws substring substr mid substringUTF8 substringIndex left right leftUTF8
  rightUTF8 leftPad rightPad lpad rpad trim trimBoth trimLeft trimRight ltrim rtrim repeat space ascii char format printf
  startsWith endsWith startsWithUTF8 endsWithUTF8 initcap firstLine basename soundex stringBytesEntropy stringBytesUniq
  isValidUTF8 isValidASCII toValidUTF8 editDistance damerauLevenshteinDistance jaroWinklerSimilarity naturalSortKey
  normalizeUTF8NFC normalizeUTF8NFKC replace replaceAll replaceOne replaceRegexpAll replaceRegexpOne translate
  regexpQuoteMeta regexpExtract position positionCaseInsensitive positionUTF8 positionCaseInsensitiveUTF8 locate instr
  match like notLike ilike notILike extract extractAll extractGroups extractAllGroups extractAllGroupsHorizontal
  extractAllGroupsVertical countMatches countSubstrings countSubstringsCaseInsensitive hasToken hasTokenCaseInsensitive
  hasSubsequence multiSearchAny multiSearchAnyCaseInsensitive multiSearchFirstIndex multiSearchAllPositions multiMatchAny
  multiMatchAnyIndex multiMatchAllIndices ngramDistance ngramSearch splitByChar splitByString splitByRegexp
  splitByWhitespace splitByNonAlpha alphaTokens tokens ngrams arrayStringConcat extractTextFromHTML

  base64Encode base64Decode tryBase64Decode base64URLEncode base64URLDecode tryBase64URLDecode base32Encode base32Decode
  base58Encode base58Decode hex unhex bin unbin to_base64 from_base64 encodeXMLComponent decodeXMLComponent
  decodeHTMLComponent encodeURLComponent decodeURLComponent CRC32 CRC64 MD5 SHA1 SHA224 SHA256 SHA384 SHA512 sipHash64
  sipHash128 cityHash64 xxHash32 xxHash64 xxh3 murmurHash3_32 murmurHash3_64 farmHash64 halfMD5 intHash32 intHash64

  CAST _CAST accurateCast accurateCastOrNull accurateCastOrDefault reinterpret reinterpretAsString reinterpretAsUInt64
  toString toStringCutToZero toFixedString toLowCardinality toBool toInt8 toInt16 toInt32 toInt64 toInt128 toUInt8
  toUInt16 toUInt32 toUInt64 toUInt128 toInt32OrNull toInt64OrNull toUInt8OrNull toUInt16OrNull toUInt32OrNull
  toUInt64OrNull toInt32OrZero toInt64OrZero toUInt32OrZero toUInt64OrZero toFloat32 toFloat64 toFloat64OrNull
  toFloat64OrZero toDecimal32 toDecimal64 toDecimal128 toDecimalString toUUID toUUIDOrNull toUUIDOrZero UUIDStringToNum
  UUIDNumToString UUIDv7ToDateTime formatReadableSize formatReadableQuantity formatReadableTimeDelta bar byteSize

  now now64 today yesterday current_timestamp current_date toDate toDate32 toDateOrNull toDateTime toDateTime64
  toDateTimeOrNull toDateTime64OrNull parseDateTime parseDateTimeOrNull parseDateTimeBestEffort
  parseDateTimeBestEffortOrNull parseDateTime64BestEffort parseDateTime64BestEffortOrNull date timestamp makeDate
  makeDateTime makeDateTime64 fromUnixTimestamp fromUnixTimestamp64Milli fromUnixTimestamp64Micro
  fromUnixTimestamp64Nano fromUnixTimestamp64Second toUnixTimestamp toUnixTimestamp64Milli toUnixTimestamp64Micro
  toUnixTimestamp64Nano toUnixTimestamp64Second toYear toQuarter toMonth toDayOfYear toDayOfMonth toDayOfWeek toHour
  toMinute toSecond toMillisecond toMicrosecond year quarter month day hour minute second toISOYear toISOWeek toWeek
  toYearWeek toMonday toLastDayOfMonth toYYYYMM toYYYYMMDD toYYYYMMDDhhmmss toStartOfYear toStartOfQuarter
  toStartOfMonth toStartOfWeek toStartOfDay toStartOfHour toStartOfMinute toStartOfSecond toStartOfMillisecond
  toStartOfFiveMinutes toStartOfTenMinutes toStartOfFifteenMinutes toStartOfInterval toStartOfISOYear toTime timeSlot
  toTimezone toTimeZone timezone timezoneOf toRelativeDayNum toRelativeHourNum toRelativeMinuteNum toRelativeMonthNum
  dateDiff date_diff dateTrunc date_trunc dateName monthName age formatDateTime date_format addYears addQuarters addMonths
  addWeeks addDays addHours addMinutes addSeconds addMilliseconds addMicroseconds subtractYears subtractQuarters
  subtractMonths subtractWeeks subtractDays subtractHours subtractMinutes subtractSeconds subtractMilliseconds
  subtractMicroseconds addInterval subtractInterval addDate subDate toInterval toIntervalYear toIntervalQuarter
  toIntervalMonth toIntervalWeek toIntervalDay toIntervalHour toIntervalMinute toIntervalSecond toIntervalMillisecond
  toIntervalMicrosecond tumble tumbleStart tumbleEnd hop hopStart hopEnd

  array arrayJoin unnest arrayMap arrayFilter arrayExists arrayAll arrayCount arrayFirst arrayLast arrayFirstIndex
  arrayLastIndex arrayFirstOrNull arraySort arrayReverseSort arrayPartialSort arrayReverse arrayDistinct arrayUniq
  arrayConcat arraySlice arrayElement arrayElementOrNull arrayEnumerate arrayEnumerateUniq arrayEnumerateDense arrayFlatten
  flatten arrayCompact arrayZip arraySum arrayAvg arrayMin arrayMax arrayProduct arrayCumSum arrayDifference arrayFill
  arraySplit arrayFold arrayIntersect arrayUnion arrayExcept arrayResize arrayPushBack arrayPushFront arrayPopBack
  arrayPopFront arrayRotateLeft arrayRotateRight arrayWithConstant arrayShingles has hasAll hasAny hasSubstr indexOf
  countEqual range
  tuple tupleElement tupleConcat tupleNames tupleToNameValuePairs untuple map mapKeys mapValues mapContains mapContainsKey
  mapFilter mapApply mapAdd mapFromArrays mapSort

  JSONExtract JSONExtractString JSONExtractInt JSONExtractUInt JSONExtractFloat JSONExtractBool JSONExtractRaw
  JSONExtractArrayRaw JSONExtractKeys JSONExtractKeysAndValues JSONExtractKeysAndValuesRaw JSONHas JSONLength JSONType
  JSONKey JSON_VALUE JSON_QUERY JSON_EXISTS isValidJSON simpleJSONExtractString simpleJSONExtractInt simpleJSONExtractUInt
  simpleJSONExtractFloat simpleJSONExtractBool simpleJSONExtractRaw simpleJSONHas toJSONString prettyPrintJSON

  domain domainWithoutWWW topLevelDomain protocol path pathFull port queryString fragment extractURLParameter
  extractURLParameters extractURLParameterNames cutQueryString cutURLParameter URLHierarchy URLPathHierarchy
  IPv4NumToString IPv4StringToNum IPv4StringToNumOrNull IPv6NumToString IPv6StringToNum toIPv4 toIPv6 toIPv4OrNull
  toIPv6OrNull isIPv4String isIPv6String isIPAddressInRange IPv4CIDRToRange IPv6CIDRToRange cutIPv6

  rowNumberInAllBlocks runningDifference neighbor finalizeAggregation
  `
    .trim()
    .split(/\s+/)
    .map((name) => name.toLowerCase()),
)

/** Table functions that make their rows up, lower case. */
export const read_table_functions: ReadonlySet<string> = new Set([
  'generate_series',
  'generateseries',
  'numbers',
  'values',
  'zeros',
])

/** Aggregate and window functions, lower case, without combinators. */
export const read_aggregates: ReadonlySet<string> = new Set(
  `
  count min max sum avg any anyLast anyHeavy first_value last_value argMin argMax uniq uniqExact uniqCombined
  uniqCombined64 uniqHLL12 uniqUpTo quantile quantiles quantileExact quantilesExact quantileTDigest quantilesTDigest
  quantileTiming quantilesTiming quantileDeterministic quantileExactWeighted quantileInterpolatedWeighted median
  medianExact medianTDigest topK topKWeighted groupArray groupUniqArray groupArraySample groupArraySorted groupArrayLast
  groupArrayMovingSum groupArrayMovingAvg groupConcat groupBitAnd groupBitOr groupBitXor groupBitmap sumMap minMap maxMap
  sumWithOverflow sumKahan sumCount avgWeighted stddevPop stddevSamp varPop varSamp covarPop covarSamp corr skewPop skewSamp
  kurtPop kurtSamp entropy histogram sparkbar deltaSum deltaSumTimestamp retention windowFunnel sequenceMatch sequenceCount
  simpleLinearRegression singleValueOrNull intervalLengthSum maxIntersections exponentialMovingAverage
  row_number rank dense_rank denseRank percent_rank percentRank cume_dist ntile lag lead lagInFrame leadInFrame nth_value
  nonNegativeDerivative
  `
    .trim()
    .split(/\s+/)
    .map((name) => name.toLowerCase()),
)

/** Suffixes that change what an aggregate function does with its rows; they may be combined. */
const combinators =
  /(if|array|distinct|ordefault|ornull|resample|foreach|argmin|argmax|map|merge|state|simplestate)$/

/** Whether a read-only query may call `name`, in whatever case it is written. */
export function mayCall(name: string): boolean {
  const plain = name.toLowerCase()
  if (read_functions.has(plain)) return true
  for (let rest = plain; ; ) {
    if (read_aggregates.has(rest)) return true
    const shorter = rest.replace(combinators, '')
    if (shorter === rest) return false
    rest = shorter
  }
}
