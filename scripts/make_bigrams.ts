// Writes assembly/bigrams.ts: how natural each pair of neighbouring characters is in words and identifiers.
//
// Counted are the distinct runs of token characters in the documentation, declarations and code of the installed packages
// and in the words below, each run once, so that no package's favourite name counts much. Run it by hand when the counting
// changes: `node scripts/make_bigrams.ts`. The table depends on the packages installed, so no test compares it.
import { writeFileSync } from 'node:fs'
import { installedText } from '../bench/installed_text.ts'

/** Words of languages that documentation of packages seldom holds. */
const other_languages = `
  geschwindigkeit verschluesselung zugangsdaten schluessel benutzername pruefung anwendung entwicklung verzeichnis
  contrasena usuario desarrollo aplicacion archivo seguridad configuracion conexion servidor respuesta solicitud
  motdepasse utilisateur developpement fichier securite connexion serveur reponse requete chiffrement bibliotheque
  palavra utilizador desenvolvimento arquivo seguranca conexao servidor resposta pedido biblioteca
  parola utente sviluppo archivio sicurezza connessione risposta richiesta libreria chiave
  wachtwoord gebruiker ontwikkeling bestand beveiliging verbinding antwoord verzoek sleutel
  losenord anvandare utveckling sakerhet anslutning svar begaran nyckel bibliotek
  salasana kayttaja kehitys tiedosto turvallisuus yhteys palvelin vastaus pyynto kirjasto avain
  haslo uzytkownik rozwoj plik bezpieczenstwo polaczenie serwer odpowiedz zapytanie biblioteka klucz
  heslo uzivatel vyvoj soubor bezpecnost spojeni odpoved pozadavek knihovna klic
  sifre kullanici gelistirme dosya guvenlik baglanti sunucu yanit istek kutuphane anahtar
  parol polzovatel razrabotka fail bezopasnost soedinenie otvet zapros biblioteka klyuch
  jelszo felhasznalo fejlesztes fajl biztonsag kapcsolat kiszolgalo valasz keres konyvtar kulcs
  matkhau nguoidung phattrien taptin baomat ketnoi maychu traloi yeucau thuvien
  katasandi pengguna pengembangan berkas keamanan koneksi jawaban permintaan pustaka kunci
  pasuwado yuza kaihatsu fairu anzen setsuzoku saba kotae yokyu toshokan kagi
  mima yonghu kaifa wenjian anquan lianjie fuwuqi huida qingqiu tushuguan yaoshi`

const symbols = 54
const digit = 52
const joint = 53
const start = 54

/** Column of a character, as assembly/surprise.ts numbers them. */
function columnOf(code: number): number {
  if (code >= 97 && code <= 122) return code - 97
  if (code >= 65 && code <= 90) return code - 65 + 26
  return code >= 48 && code <= 57 ? digit : joint
}

function distinctRuns(): Set<string> {
  const runs = new Set(other_languages.trim().split(/\s+/))
  const installed = installedText(new URL('../node_modules', import.meta.url).pathname, 6_000_000)
  for (const [kind, files] of installed) {
    if (kind === 'maps' || kind === 'minified') continue
    for (const { text } of files) {
      for (const [run] of text.toString('latin1').matchAll(/[A-Za-z][A-Za-z0-9_/+-]{2,40}/g)) {
        if (!/\d.*[A-Za-z].*\d.*[A-Za-z].*\d/.test(run)) runs.add(run)
      }
    }
  }
  return runs
}

/** What each character costs behind the one before, in sixths of a bit: a line of text for each that may be before. */
function linesOf(runs: Iterable<string>): string[] {
  const counts = Array.from({ length: symbols + 1 }, () => new Float64Array(symbols))
  for (const run of runs) {
    let before = start
    for (let i = 0; i < run.length; i++) {
      const column = columnOf(run.charCodeAt(i))
      counts[before]![column]!++
      before = column
    }
  }
  return counts.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    const sixths = [...row].map((count, column) => {
      const bits = -Math.log2((count + 0.5) / (total + symbols / 2)) + (column === digit ? Math.log2(10) : 0)
      return Math.min(63, Math.round(bits * 6))
    })
    return `  ${sixths.join(', ')},\n`
  })
}

writeFileSync(
  new URL('../assembly/bigrams.ts', import.meta.url),
  `// Written by scripts/make_bigrams.ts. A row for each character a-z, A-Z, a digit, a joint, and for the start; a column for
// each character that may follow. Each entry is what that character costs there, in sixths of a bit.

/** 55 rows of 54. */
export const BIGRAMS: usize = memory.data<u8>([
${linesOf(distinctRuns()).join('')}])
`,
)
