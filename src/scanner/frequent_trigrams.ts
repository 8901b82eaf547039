/**
 * The three bytes that stand most often in documentation, code and JSON, case folded, most frequent first: counted over the files of
 * this project's packages.
 */
export const frequent_trigrams: readonly string[] = cut(
  '":"","e":s":r":t":n":d":":{"},' +
    '    thionthetioent rehe ingconer ons  * * tur incomageeta coreaon urntypype beoderes anretithbet to' +
    'forto or ter---thiopeetuverhisateed ===penctiortatiessand a rn nd  fostrporead wi.coerrhttttpusein ' +
    ' = oolas intng st nstrrops:://ror astpsthr sts:/of toobleenaromnteexpserectis erspar ofproderth tri' +
    'ablstaoveunces  sehroestwitall onnctperropfunfro tyom/s ae tnal pa/opse is.at  catedour fr(htnailet' +
    ' more n tsetgite aontthurt menhubsioclint om ants, noden amet tulle bend me isiveexts tub.cod/gisto' +
    'b.cues//g, tinetatpicequle sagtchpe defit taboneld meset fiexporeqclantsarande deindundrowounultden' +
    'nulten fie s op nonthqueopissin aramvallicareptieveworpregetigntor  crinmitapie cve uretinefigenomp' +
    'eldase  /r t lenotrefoptow datcalssa/coace../moriel prputbermbell loc nuorkr a */an  mapac atspa by' +
    '// ackamp exileettts e olie/**oreif  iffinnam itatcollactt antoarrtar oriend tnsee iby asscre clt i' +
    'ry al lowch ans unsig usmodchescrchadge buowsockrcetreleadow whanamarbloeatrivlinratunt enmanoutfil' +
    'e: edejecvarredaluttenerrded aspoist** ntice mate rge lueharnedommadehanitesesar lennumildnine, e f' +
    ' hainstru // netext fsoun o  r-nourcereponns hatly de/run oves/arkeamerasenirellorkeheaimememcouces' +
    'nceerteasnnetra **engesprougnathaai/e mutet cwinif(logcatt, aitwai arm/o',
)

function cut(text: string): string[] {
  return text.match(/.{3}/g) ?? []
}
