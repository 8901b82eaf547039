// Words that tell what a run behind them is. Looked up by a hash, so that no text makes the reading slow.
import { lowered } from './randomness'

// Lists are of words in lower case, parted by spaces.
const KEYS =
  'secret token tokens apikey password passwd passphrase pwd credential credentials auth authorization bearer authtoken accesstoken secretkey'
const WEAK = 'pat license licence account login pass'
/** A word before `key` that makes it a secret, and one that makes it none. */
const KEY_STRONG =
  'api access secret private auth account encryption signing master app application service admin consumer shared client write ingest license integration personal deploy server'
const KEY_OTHER =
  'public primary foreign cache sort partition object row lookup idempotency pub translation host map index routing group'
const OTHERS =
  'hash hashes sha md crc digest digests checksum checksums integrity etag etags nonce commit commits revision rev request requestid req trace traceid traceparent tracestate span parent correlation session sessionid uuid guid id ids fingerprint signature thumbprint pin pubkey public cert certificate h sri cid ray kid jti cursor page snapshot boundary layer blob tree image images base container resolved ssri asset chunk publickey msg message'
const NAME_ENDS = 'id ids name url uri type file path count limit length expires expiry ttl at regex pattern hash policy endpoint format size prefix encryption field label error hint reset required enabled algorithm alg manager provider store service class ref refs selector input confirm confirmation strength rule rules min max message title page form change forgot mgr realm generator usage budget bucket price prices'
/** Values that are one of these words. */
const NOTHINGS =
  'null none true false undefined nil empty required optional string password passwd passwort kennwort contrasena secret token text hidden boolean number integer object bearer basic default todo value pass changeit test xyz guest user username admin root localhost bool any unknown never void bytes define undef prompt secret123 password123 mypassword supersecret topsecret'
const VENDORS =
  'accuweather activecampaign adafruit adobe agora airtable aiven alchemy algolia alibaba alienvault amplitude anthropic anypoint apiflash apify apilayer appcues appfollow appsflyer artifactory asana assemblyai atlassian auth avaza aws axonaut aylien ayrshare azure bamboohr bannerbear baremetrics baseten beamer billomat bitbucket bitfinex bitly bitmex bittrex blazemeter braintree bugsnag buildkite bulbul bybit calendarific calendly capsulecrm censys chargebee chartmogul circleci clarifai clearbit clickhouse clicksend clickup clockify clojars cloudconvert cloudflare cloudinary cloudmersive cloudsmith codacy codeclimate codecov codemagic cohere coinapi coinbase coinlayer confluent contentful contentstack convertkit coveralls crowdin crowdstrike cryptocompare currencylayer customerio databricks datadog datagov deepai deepgram deepl deepseek delighted detectify diffbot digitalocean discord disqus dockerhub docusign doppler droneci dropbox duffel dwolla dynatrace easypost edamam elastic elasticemail elevenlabs etherscan etsy eventbrite everhour exchangerate facebook fastly fastspring figma finnhub firebase flickr flightaware flutterwave flyio formio foursquare frameio freshbooks freshdesk fullstory gcp geoapify geocodio getresponse giphy gitguardian gitlab gitter gocanvas gocardless goodday grafana groq gumroad harvestapp helpscout heroku hootsuite hubspot huggingface hunterio imagekit imgix imgur infracost infura insightly instagram intercom intrinio ipapi ipgeolocation ipinfo iterable ixapi jenkins jfrog jira jumpcloud kickbox klaviyo kraken kucoin launchdarkly lemlist linkedin livechat lob logdna loggly logmein logzio lokalise looker mailboxlayer mailchimp mailerlite mailgun mailjet mailtrap mandrill mapbox mapquest marketstack mattermost mediastack mesibo messagebird metaapi mistral mixpanel mollie mongodb moonclerk netlify neutrino newrelic newsapi nexmo ngrok nightfall npm nylas nytimes okta omdb onelogin onesignal openai openrouter openweather opsgenie optimizely pagerduty paperform parseur pastebin paypal pendo perplexity pinecone pipedrive pivotaltracker plaid planetscale plivo posthog postman postmark prefect printful proxycrawl pubnub pulumi pushbullet pusher pushover qualtrics quandl quickbooks rapidapi raygun razorpay recurly rentman replicate restpack ringcentral roboflow rollbar route4me rubygems salesforce salesloft samsara scaleway scraperapi scrapingbee screenshotapi securitytrails sendbird sendgrid sendinblue sentry serpapi serpstack shippo shodan shopify sidekiq sightengine signaturit simfin sinch slack smartsheet snipcart snowflake snyk sonar sonarcloud sonarqube speechmatics splunk spoonacular spotify squarespace statuspage storyblok storychief strava stripe stytch sumologic supabase surveymonkey tallyfy tavily teamgate telegram telnyx terraform tickettailor tiingo timecamp todoist toggl tomorrowio tomtom transferwise travis travisci trello trustpilot twelvedata twilio twitch twitter tyntec typeform unsplash uplead uploadcare uptimerobot userflow vault vercel veriphone virustotal vonage wakatime weatherapi weatherbit weatherstack webex webflow workato worksnaps wrike xai yandex yelp youtube zapier zapierwebhook zendesk zenscrape zenserp zerobounce zerotier zipcodeapi zoho zoom zulip'

/** What a word is, by bits. */
export const IS_KEY_WORD: u32 = 1
export const IS_WEAK: u32 = 2
export const IS_KEY_STRONG: u32 = 4
export const IS_KEY_OTHER: u32 = 8
export const IS_OTHER: u32 = 16
export const IS_VENDOR: u32 = 32
export const IS_KEY: u32 = 64
export const IS_VALUE: u32 = 128
/** Ends the name of something that is no secret, as in `token_expiry`. */
export const IS_NAME_END: u32 = 256
/** Stands for a value instead of being one. */
export const IS_NOTHING: u32 = 512

// a slot: u32 hash, 0 when free │ u32 bits
const SLOTS: u32 = 2048
const TABLE: usize = memory.data(16384, 16)

export function initTellingWords(): void {
  addWords(KEYS, IS_KEY_WORD)
  addWords(WEAK, IS_WEAK)
  addWords(KEY_STRONG, IS_KEY_STRONG)
  addWords(KEY_OTHER, IS_KEY_OTHER)
  addWords(OTHERS, IS_OTHER)
  addWords(VENDORS, IS_VENDOR)
  addWords('key keys', IS_KEY)
  addWords('value', IS_VALUE)
  addWords(NAME_ENDS, IS_NAME_END)
  addWords(NOTHINGS, IS_NOTHING)
}

// @ts-ignore: decorator
@inline
function step(hash: u32, c: u8): u32 {
  return (hash ^ c) * 0x01000193
}

/** The slot of a hash (FNV-1a, 32 bits), or the free one where it belongs. */
function slotOf(hash: u32): usize {
  let i = hash & (SLOTS - 1)
  while (true) {
    const slot = TABLE + (<usize>i << 3)
    if (load<u32>(slot) == hash || load<u32>(slot) == 0) return slot
    i = (i + 1) & (SLOTS - 1)
  }
}

function addWords(list: string, bit: u32): void {
  const at = changetype<usize>(list)
  const end = <u32>list.length
  let hash: u32 = 0x811c9dc5
  for (let i: u32 = 0; i <= end; i++) {
    const c: u8 = i == end ? 32 : <u8>load<u16>(at + (i << 1))
    if (c != 32) {
      hash = step(hash, c)
      continue
    }
    const slot = slotOf(hash)
    store<u32>(slot, hash)
    store<u32>(slot, load<u32>(slot, 4) | bit, 4)
    hash = 0x811c9dc5
  }
}

/** Bits of the word of `n` bytes at `p`, 0 when it tells nothing. */
export function wordBits(p: usize, n: u32): u32 {
  let hash: u32 = 0x811c9dc5
  for (let i: u32 = 0; i < n; i++) hash = step(hash, lowered(p + i))
  return load<u32>(slotOf(hash), 4)
}
